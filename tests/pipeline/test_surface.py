"""What users import, and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path

import pytest

import pivot

NAMES = {
    "Dep", "DirectoryOut", "ExternalDep", "IncrementalOut", "InputError", "Metric", "Out", "Pipeline", "PipelineError",
    "PivotError", "PlaceholderDep", "Plot", "StageParams", "depends_on", "loaders",
}  # fmt: skip
LOADERS = {
    "Bytes", "CSV", "Feather", "Image", "JSON", "JSONLines", "Loader", "Matplotlib", "Numpy", "Parquet", "PathOnly",
    "Pickle", "Reader", "TOML", "Text", "Writer", "YAML", "describe",
}  # fmt: skip
HEAVY = {
    "blake3", "click", "matplotlib", "networkx", "numpy", "pandas", "paramiko", "PIL", "polars", "pygit2",
    "rich", "watchfiles", "xxhash", "yaml",
}  # fmt: skip


def modules_after(code: str) -> set[str]:
    script = f"import sys; before = set(sys.modules); {code}; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_the_public_names_are_these() -> None:
    assert set(pivot.__all__) == NAMES
    assert set(pivot.loaders.__all__) == LOADERS
    assert set(dir(pivot)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_can_be_imported(name: str) -> None:
    assert modules_after(f"from pivot import {name}; assert {name}") >= {"pivot"}


def test_importing_pivot_loads_nothing_else() -> None:
    assert modules_after("import pivot") <= {"pivot", "__future__"}


def test_declaring_stages_loads_nothing_heavy() -> None:
    found = modules_after("import pivot; pivot.Pipeline, pivot.StageParams, pivot.loaders.CSV()")
    assert not {name.partition(".")[0] for name in found} & HEAVY


def test_a_name_that_is_not_there_says_what_is() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Input'; it offers Dep, "):
        typing.cast("typing.Any", pivot).Input  # noqa: B018 - the access is the test


def test_depends_on_leaves_the_function_alone_and_notes_the_objects() -> None:
    def helper() -> None: ...

    @pivot.depends_on(helper)
    @pivot.depends_on(len, 3)
    def function() -> int:
        return 1

    assert function() == 1
    assert function.__pivot_depends_on__ == (len, 3, helper)  # type: ignore[attr-defined]


def test_what_a_declaration_raises_can_be_caught(tmp_path: Path) -> None:
    with pytest.raises(pivot.PipelineError) as raised:
        pivot.Pipeline("a b", root=tmp_path)
    assert isinstance(raised.value, pivot.PivotError) and "test_surface.py:" in str(raised.value.where)


def test_loaders_are_a_module_of_their_own_too() -> None:
    code = "from pivot.loaders import JSON, Loader; import pivot; assert pivot.loaders.JSON is JSON; print()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert modules_after("import pivot.loaders; from pivot import loaders; loaders.CSV()") >= {"pivot.loaders"}
