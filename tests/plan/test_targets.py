"""From what the user types to stages."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pivot.errors import TargetError
from pivot.graph import build_graph, find_producers
from pivot.pipeline.spec import StageSpec
from pivot.plan.targets import select, stages_around, unknown_stage
from tests.support.specs import spec

SPECS = [
    spec("clean", outs=["data/clean.csv"]),
    spec("train", deps=["data/clean.csv"], outs=["model"]),
    spec("plot", deps=["model"], outs=["plot.png"]),
    spec("sub/train", outs=["sub/model"]),
]
GRAPH = build_graph(SPECS, find_producers(SPECS))


@pytest.mark.parametrize(
    ("target", "folder", "stages"),
    [
        ("train", "", ["train"]),
        ("data/clean.csv", "", ["clean"]),
        ("clean.csv", "data", ["clean"]),
        ("../plot.png", "data", ["plot"]),
        ("*train", "", ["train", "sub/train"]),
        ("*.png", "", ["plot"]),
        ("train+", "", ["train", "plot"]),
        ("clean+", "", ["clean", "train", "plot"]),
        ("sub/train", "", ["sub/train"]),
    ],
)
def test_a_target_names_stages(target: str, folder: str, stages: list[str]) -> None:
    assert sorted(select([target], SPECS, GRAPH, folder)) == sorted(stages)


def of(name: str, file: str, pipeline: str, *outs: str) -> StageSpec:
    return replace(spec(name, outs=outs), file=file, pipeline=pipeline)


TEAMS = [
    of("a/train", "a/pipeline.py", "cheap", "a/model"),
    of("a/one:plot", "a/pipeline.py", "one", "a/1.png"),
    of("a/two:plot", "a/pipeline.py", "two", "a/2.png"),
    of("a/b/train", "a/b/pipeline.py", "exact", "a/b/model"),
    of("flows/daily/fit@x=1", "flows/daily.py", "daily", "data/fit-1"),
    of("flows/daily/fit@x=2", "flows/daily.py", "daily", "data/fit-2"),
]
TEAM_GRAPH = build_graph(TEAMS, find_producers(TEAMS))


@pytest.mark.parametrize(
    ("target", "folder", "stages"),
    [
        ("train", "a", ["a/train"]),
        ("train", "a/b", ["a/b/train"]),
        ("../train", "a/b", ["a/train"]),
        ("a/train", "a/b", ["a/train"]),
        ("cheap:train", "flows", ["a/train"]),
        ("one:*", "", ["a/one:plot"]),
        ("daily:fit", "", ["flows/daily/fit@x=1", "flows/daily/fit@x=2"]),
        ("daily:fit@x=2", "", ["flows/daily/fit@x=2"]),
        ("fit", "", ["flows/daily/fit@x=1", "flows/daily/fit@x=2"]),
        ("fit@x=1", "a", ["flows/daily/fit@x=1"]),
        ("a/b", "", ["a/b/train"]),
        ("a/", "", ["a/train", "a/one:plot", "a/two:plot", "a/b/train"]),
        (".", "a/b", ["a/b/train"]),
        ("flows/daily.py", "", ["flows/daily/fit@x=1", "flows/daily/fit@x=2"]),
        ("data", "", ["flows/daily/fit@x=1", "flows/daily/fit@x=2"]),
        ("*.png", "a", ["a/one:plot", "a/two:plot"]),
    ],
)
def test_a_target_is_read_from_where_one_stands(target: str, folder: str, stages: list[str]) -> None:
    assert select([target], TEAMS, TEAM_GRAPH, folder) == [name for name in TEAM_GRAPH.order if name in stages]
    assert set(stages) <= set(TEAM_GRAPH.order)


@pytest.mark.parametrize("target", ["train", "plot"])
def test_a_name_of_several_stages_is_an_error_that_lists_them(target: str) -> None:
    with pytest.raises(TargetError, match=f"{target} is the name of 2 stages: a/"):
        select([target], TEAMS, TEAM_GRAPH)


@pytest.mark.parametrize(
    ("folder", "count"), [("", 6), ("a", 4), ("a/b", 1), ("a/b/c/d", 1), ("flows", 2), ("nowhere", 6)]
)
def test_a_folder_stands_for_its_pipelines_or_those_of_the_nearest_above(folder: str, count: int) -> None:
    assert len(stages_around(folder, TEAMS)) == count


def test_an_unknown_target_names_the_closest() -> None:
    with pytest.raises(TargetError, match="no stage, output, folder or glob matches trian") as error:
        select(["trian"], SPECS, GRAPH)
    assert error.value.hint == "Did you mean train?"


def test_an_empty_target_is_refused() -> None:
    for target in ("", "+"):
        with pytest.raises(TargetError, match="a target is empty"):
            select([target], SPECS, GRAPH)


# (typed, names, the question)
NEAR = [
    ("trian", ["sub/train"], "sub/train"),
    ("sub/trian+", ["sub/train"], "sub/train"),
    ("trian", ["train@model=a", "train@model=b"], "train"),
    ("train@model=c", ["train@model=a"], "train@model=a"),
    ("trian", ["other/train", "train"], "train"),
]


@pytest.mark.parametrize(("typed", "names", "meant"), NEAR)
def test_the_closest_name_is_found_without_folder_pipeline_and_variant(
    typed: str, names: list[str], meant: str
) -> None:
    assert unknown_stage(typed, names).hint == f"Did you mean {meant}?"
