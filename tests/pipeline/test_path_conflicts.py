"""Which paths cannot stand together, over all stages of a repository."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.pipeline.path_conflicts import check_specs
from pivot.pipeline.paths import PathKey
from pivot.pipeline.spec import ArtifactSpec, Location, StageSpec

WHERE = Location("pipeline.py", 1)


def stage(name: str, outs: list[str], deps: list[str] | None = None) -> StageSpec:
    """A stage that stands on the line given by its name's length."""
    where = Location(f"{name}.py", 7)

    def artifact(kind: str, path: str) -> ArtifactSpec:
        return ArtifactSpec(path, kind, (path,), "one", (), "JSON()", where)  # type: ignore[arg-type]

    given_deps = tuple(artifact("dep", path) for path in deps or [])
    return StageSpec(
        name, "p", f"{name}.py", "", name, WHERE, given_deps, tuple(artifact("out", path) for path in outs)
    )


def said(specs: list[StageSpec], root: Path, *, fold_case: bool = False) -> list[str]:
    return [error.what for error in check_specs(specs, PathKey(root, fold_case=fold_case))]


def test_an_error_names_both_places(tmp_path: Path) -> None:
    (error,) = check_specs([stage("f", ["a.json"]), stage("g", ["a.json"])], PathKey(tmp_path))
    assert (error.what, error.where) == ("stages `f` and `g` both write a.json", "g.py:7")
    assert error.hint == "The other is declared at f.py:7. Give one another path."


@pytest.mark.parametrize(
    ("outs", "collide"),
    [
        (["a", "b"], False),
        (["a", "a"], True),
        (["a", "a/b"], True),
        (["a/b/c", "a"], True),
        (["a/b", "a/bc"], False),
        (["a/b", "a-b"], False),
        (["a/b", "a/c"], False),
    ],
)
def test_outputs_collide_where_one_is_or_contains_the_other(tmp_path: Path, outs: list[str], collide: bool) -> None:
    assert bool(said([stage("f", outs[:1]), stage("g", outs[1:])], tmp_path)) is collide
    assert bool(said([stage("f", outs)], tmp_path)) is collide


def test_a_link_in_the_path_is_looked_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert said([stage("f", ["real/a"]), stage("g", ["link/a"])], tmp_path) == ["stages `f` and `g` both write link/a"]


def test_unicode_forms_and_folded_case_are_one_path(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "é.json") for form in ("NFC", "NFD")]
    assert said([stage("f", forms[:1]), stage("g", forms[1:])], tmp_path)
    cases = [stage("f", ["A/x"]), stage("g", ["a/X"])]
    assert (bool(said(cases, tmp_path)), bool(said(cases, tmp_path, fold_case=True))) == (False, True)


@pytest.mark.parametrize("dep", ["out", "out/a.json", "out/a.json/deeper"])
def test_a_stage_cannot_read_what_it_writes(tmp_path: Path, dep: str) -> None:
    assert said([stage("f", ["out/a.json"], [dep])], tmp_path) == [
        f"stage `f` reads {dep} and writes out/a.json: a stage cannot read its own output"
    ]


def test_a_stage_may_read_what_another_writes(tmp_path: Path) -> None:
    assert said([stage("f", ["out/a"]), stage("g", ["b"], ["out/a", "out"])], tmp_path) == []


def touches(left: str, right: str) -> bool:
    return left == right or left.startswith(right + "/") or right.startswith(left + "/")


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join), max_size=6))
def test_any_set_of_outputs_is_refused_exactly_where_two_touch(paths: list[str]) -> None:
    specs = [stage(f"s{number}", [path]) for number, path in enumerate(paths)]
    wanted = any(touches(left, right) for number, left in enumerate(paths) for right in paths[:number])
    assert bool(said(specs, Path("/nowhere"))) is wanted
