"""What stands below the lines while stages run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pivot.reports.progress import Progress
from pivot.run.events import StageStarted


@pytest.mark.parametrize(
    ("expected", "shown"), [(None, "0.00 s"), (0.004, "0.00 s"), (1.9, "0.00 s"), (75.0, "0.00 s of 1 min 15 s")]
)
def test_what_a_stage_took_last_stands_there_where_it_was_worth_a_wait(
    expected: float | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 7.0)
    console = Console(file=io.StringIO(), width=60)
    progress = Progress(console, lambda _: [])
    progress.show(StageStarted("train", (), expected))
    console.print(progress)
    assert console.file.getvalue().splitlines()[-1].rstrip() == f"  train  {shown}"  # type: ignore[attr-defined]
