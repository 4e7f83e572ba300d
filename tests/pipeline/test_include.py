"""Pipelines made of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest

from pivot import Dep, Out, Pipeline
from pivot.errors import PipelineError


def load(text: Annotated[str, Dep("raw.txt")]) -> Annotated[str, Out("clean.txt")]:
    return text


def later() -> Annotated[str, Out("later.txt")]:
    return ""


def part(name: str, root: Path, *functions: Callable[..., object]) -> Pipeline:
    pipeline = Pipeline(name, root=root / name)
    for function in functions:
        pipeline.register(function)
    return pipeline


def test_included_stages_have_the_prefix_and_keep_their_folder(tmp_path: Path) -> None:
    whole = part("whole", tmp_path)
    for name in ("africa", "asia"):
        whole.include(part(name, tmp_path, load), prefix=name)
    assert [(stage.name, stage.root.name) for stage in whole.stages] == [
        ("africa/load", "africa"),
        ("asia/load", "asia"),
    ]


def test_stages_that_come_later_are_included_too_however_deep(tmp_path: Path) -> None:
    inner, middle, outer = (part(name, tmp_path) for name in ("inner", "middle", "outer"))
    middle.include(inner, prefix="in")
    outer.include(middle, prefix="mid")
    inner.register(later)
    assert [stage.name for stage in outer.stages] == ["mid/in/later"]


def test_a_name_that_is_taken_is_told_with_both_places(tmp_path: Path) -> None:
    whole = part("whole", tmp_path, load)
    with pytest.raises(PipelineError, match="has a stage `load` already") as error:
        whole.include(part("other", tmp_path, load))
    assert "test_include.py" in str(error.value.where)
    assert "test_include.py" in str(error.value.hint)


def test_two_that_write_one_path_are_seen_whatever_their_folders_are(tmp_path: Path) -> None:
    whole = Pipeline("whole", root=tmp_path)
    whole.register(load, out_path_overrides={"return": "africa/clean.txt"})
    with pytest.raises(PipelineError, match=r"both write africa/clean\.txt"):
        whole.include(part("africa", tmp_path, load), prefix="africa")


@pytest.mark.parametrize("between", [0, 1])
def test_no_pipeline_includes_itself(tmp_path: Path, between: int) -> None:
    first, last = part("first", tmp_path), part("last", tmp_path)
    last = first if not between else last
    with pytest.raises(PipelineError, match="would include itself"):
        if between:
            first.include(last)
        last.include(first)


@pytest.mark.parametrize("prefix", ["a/b", "a:b", "", "é è"])
def test_a_prefix_is_a_name(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(PipelineError, match="is not a name for a prefix"):
        part("whole", tmp_path).include(part("other", tmp_path), prefix=prefix)
