"""The change-detection table: an edit re-runs the stages that reach it, and no other stage."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.code.catalogue import ROWS, Row
from tests.code.catalogue.harness import look_at, write_project
from tests.support.slow import slow_unless

QUICK = ROWS[::3]  # of each table a third


@pytest.mark.parametrize("row", slow_unless(ROWS, QUICK.__contains__), ids=lambda row: row.kind)
def test_an_edit_reruns_the_stages_that_reach_it(row: Row, tmp_path: Path) -> None:
    if row.needs.startswith("3.") and sys.version_info < tuple(map(int, row.needs.split("."))):
        pytest.skip(f"needs Python {row.needs}")
    if row.needs and not row.needs.startswith("3."):
        pytest.importorskip(row.needs)
    # A row may name files beside the repository: `../libs/ours.py`.
    before, after = tmp_path / "before" / "repo", tmp_path / "after" / "repo"
    write_project(before, row.files())
    write_project(after, row.edited())
    old, new = look_at(before, after, run=row.calls)

    assert " ".join(name for name in sorted(new.codes) if old.codes.get(name) != new.codes[name]) == row.runs
    if row.calls and not row.same_result:
        # The table itself is held to the truth: what must run is what returns something else.
        differs = [name for name in new.results if old.results.get(name) != new.results[name]]
        assert " ".join(sorted(differs)) == row.runs
