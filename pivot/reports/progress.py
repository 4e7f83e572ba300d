"""The live display of a run on a terminal: lines scroll above, what runs now stands below."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from pivot.reports.ansi import coloured
from pivot.reports.run import TOLD_FROM
from pivot.reports.units import seconds, size
from pivot.run.events import (
    Event,
    RunEnded,
    RunPlanned,
    StageEnded,
    StagePrinted,
    StagePulling,
    StageRestoring,
    StageStarted,
)

_STYLES = {"ran": "green", "restored": "cyan", "failed": "bold red", "blocked": "yellow", "skipped": "yellow"}
_SHOWN = 8


class Progress:
    """Running stages with elapsed time, and how many of all have ended."""

    def __init__(self, console: Console, lines: Callable[[Event], Iterable[str]]) -> None:
        self._console = console
        self._lines = lines
        self._started: dict[str, float] = {}
        self._bars: dict[str, str] = {}
        self._expected: dict[str, float | None] = {}
        self._total = 0
        self._ended = 0
        self._spinner = Spinner("dots")

    def show(self, event: Event) -> None:
        """Take an event in: print its lines, update what runs."""
        style = _STYLES.get(event.ending, "") if isinstance(event, StageEnded) else ""
        for line in self._lines(event):
            self._console.print(coloured(line, style), soft_wrap=True)
        match event:
            case RunPlanned(plan):
                self._total = len(plan.decisions)
            case StageStarted(stage):
                self._started[stage] = time.monotonic()
                self._expected[stage] = event.expected
                self._bars.pop(stage, None)
            case StagePulling(stage, remote, bytes_):
                self._started[stage] = time.monotonic()
                self._bars[stage] = f"pulling {size(bytes_)} from {remote}"
            case StageRestoring(stage, bytes_):
                self._started[stage] = time.monotonic()
                self._bars[stage] = f"restoring {size(bytes_)}"
            case StageEnded(stage):
                self._started.pop(stage, None)
                self._bars.pop(stage, None)
                self._ended += 1
            case RunEnded():
                self._started.clear()
            case StagePrinted(stage, line, passing):
                self._bars[stage] = line if passing else ""

    def __rich__(self) -> Group:
        now = time.monotonic()
        rows = [self._row(name, now - began) for name, began in list(self._started.items())[:_SHOWN]]
        if len(self._started) > _SHOWN:
            rows.append(Text(f"  and {len(self._started) - _SHOWN} more"))
        if not rows:
            return Group()
        head = Text(f" {self._ended}/{self._total} done, {len(self._started)} running")
        return Group(Text.assemble(self._spinner.render(self._console.get_time()), head), *rows)  # type: ignore[arg-type]

    def _row(self, name: str, elapsed: float) -> Text:
        bar = coloured(self._bars.get(name, ""))
        expected = self._expected.get(name)
        took = f"{seconds(elapsed)} of {seconds(expected)}" if expected and expected >= TOLD_FROM else seconds(elapsed)
        return Text.assemble("  ", (name, "bold"), f"  {took}  ", bar, overflow="ellipsis", no_wrap=True)


@contextmanager
def open_progress(lines: Callable[[Event], Iterable[str]]) -> Iterator[Progress]:
    """A live display on standard output; the terminal is put right whatever happens."""
    console = Console(highlight=False, markup=False, emoji=False)
    progress = Progress(console, lines)
    with Live(progress, console=console, refresh_per_second=8, transient=True, redirect_stdout=False):
        yield progress
