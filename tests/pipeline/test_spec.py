"""What a declaration says about the files that its stage writes."""

from __future__ import annotations

import pytest

from pivot.pipeline.loaders.choice import SHIPPED
from pivot.pipeline.spec import FILE_LOADERS, ArtifactSpec, Location, StageSpec

HERE = Location("pipeline.py", 1)
FILE, PROGRAM, LINK, FOLDER = 0o100644, 0o100755, 0o120000, 0o040000


def stage(loader: str = "JSON()", kind: str = "out", flags: tuple[str, ...] = ()) -> StageSpec:
    out = ArtifactSpec("return", kind, ("a", "b"), "list", flags, loader, HERE)  # type: ignore[arg-type]
    return StageSpec("s", "p", "pipeline.py", "", "f", HERE, (), (out,))


def test_every_shipped_loader_but_one_writes_a_file() -> None:
    assert set(FILE_LOADERS) == {loader.__name__ for loader in SHIPPED} - {"PathOnly"}


def test_a_result_has_every_declared_path_and_no_other() -> None:
    assert stage().writes({"a": FILE, "b": PROGRAM})
    assert not stage().writes({"a": FILE})
    assert not stage().writes({"a": FILE, "b": FILE, "c": FILE})
    assert stage(flags=("optional",)).writes({"b": FILE})


@pytest.mark.parametrize(
    ("loader", "kind", "modes"),
    [
        ("JSON()", "out", {FILE, PROGRAM}),
        ("CSV(sep=';'), Text()", "plot", {FILE, PROGRAM}),
        ("JSON()", "directory", {FOLDER}),
        ("PathOnly()", "out", {FILE, PROGRAM, LINK, FOLDER}),
        ("JSON(), Mine", "out", {FILE, PROGRAM, LINK, FOLDER}),
        ("Mine", "metric", {FILE, PROGRAM, LINK, FOLDER}),
    ],
)
def test_the_loader_says_what_is_written(loader: str, kind: str, modes: set[int]) -> None:
    taken = {mode for mode in (FILE, PROGRAM, LINK, FOLDER) if stage(loader, kind).writes({"a": mode, "b": mode})}
    assert taken == modes
