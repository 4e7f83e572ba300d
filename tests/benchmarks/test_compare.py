"""The comparison with other tools runs, with our own alone and on the smallest work, and says what each run did."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.compare import kept
from benchmarks.compare.contestant import Contestant
from benchmarks.compare.peer import make_place
from benchmarks.compare.peers import pivot
from benchmarks.compare.project import wide
from benchmarks.compare.race import Finding, Terms, race
from benchmarks.compare.report import page
from benchmarks.compare.workloads.outputs import small_files
from benchmarks.compare.workloads.stages import many_stages

ONCE = Terms(rounds=1, limit=60)


@pytest.fixture
def ours(tmp_path: Path) -> Contestant:
    return Contestant(pivot.PEER, make_place(Path(sys.executable).parent, sys.executable, tmp_path / "ours"))


def test_our_own_runs_are_right_and_run_what_they_must(ours: Contestant, tmp_path: Path) -> None:
    wide, chain = many_stages([ours], [3], ONCE, tmp_path)
    found = {(row.operation, row.finding) for section in (wide, chain) for row in section.rows if not row.is_floor}
    assert found == {
        ("first run", Finding(True, 3, 3)),
        ("nothing to do", Finding(True, 0, 0)),
        ("helper edited", Finding(True, 1, 1)),
        ("helper edited", Finding(True, 2, 2)),
    }


def test_outputs_that_are_brought_back_are_counted_as_such_on_the_page(ours: Contestant, tmp_path: Path) -> None:
    measured = (("files", section) for section in small_files([ours], 5, ONCE, tmp_path))
    results = kept.add(tmp_path / "results.json", measured, {"Pivot": "1"})
    restored = page("# Head", results.sections).partition("**outputs deleted**")[2]
    assert "| cp -r |" in restored and "| right, and nothing ran |" in restored


def test_who_takes_too_long_is_named_and_takes_no_further_part(ours: Contestant, tmp_path: Path) -> None:
    sections = list(many_stages([ours], [1, 2], Terms(rounds=1, limit=0.01), tmp_path))
    notes = [row.note for row in sections[1].rows if row.contestant == "Pivot"]
    assert notes == ["left out: more than 0.01 s"]
    assert race({}, {}, ONCE) == []


def test_a_module_is_edited_in_another_second(tmp_path: Path) -> None:
    seconds = [_edited(tmp_path, number) for number in range(2)]
    assert seconds[0] < seconds[1]


def _edited(folder: Path, number: int) -> int:
    wide(1).edit(folder, number)
    return int((folder / "deep.py").stat().st_mtime)
