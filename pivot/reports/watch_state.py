"""What a watch shows, kept up to date by its events: the stages with state and reason, and what they print."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from pivot.plan.decision import Action, Decision
from pivot.reports.ansi import readable
from pivot.reports.explain import explain
from pivot.reports.run import failure_lines, totals
from pivot.reports.status import in_short
from pivot.reports.units import seconds
from pivot.run.events import (
    Changed,
    Event,
    Noticed,
    Paused,
    RunEnded,
    RunPlanned,
    StageEnded,
    StagePrinted,
    StageRestoring,
    StageStarted,
    Unplanned,
    WaitingForLock,
    Watching,
)

State = Literal["running", "restoring", "failed", "blocked", "to run", "skipped", "ran", "restored", "up to date"]

_PLANNED: dict[Action, State] = {
    Action.KEEP: "up to date",
    Action.RESTORE: "to run",
    Action.RUN: "to run",
    Action.WAIT: "to run",
    Action.BLOCKED: "blocked",
}
_ORDER: tuple[State, ...] = ("running", "restoring", "failed", "blocked", "to run", "skipped")
_KEPT = 500
_NOTICES = 3


class Row(Struct):
    """A stage: `since` is when its state began (seconds, monotonic), `took` how long its last run was."""

    name: str
    state: State = "up to date"
    reason: str = ""
    since: float = 0.0
    took: float = 0.0
    printed: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))
    failure: tuple[str, ...] = ()

    @property
    def time(self) -> str:
        if self.state in ("running", "restoring"):
            return seconds(time.monotonic() - self.since)
        return seconds(self.took) if self.took else ""


class WatchState(Struct):
    """`headline` is what the watch is doing, `last` how the last run ended, `trouble` why nothing can be planned."""

    headline: str = "plans"
    last: str = ""
    totals: str = ""
    change: str = ""
    polling: str = ""
    paused: bool = False
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=_NOTICES))
    trouble: list[str] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    _printed_last: str = ""

    def take(self, event: Event) -> None:
        match event:
            case RunPlanned(plan):
                self._plan(dict(plan.decisions))
            case StageStarted(stage, reasons):
                reason = in_short(Decision(stage, Action.RUN, reasons))
                self._set(stage, "running", reason).printed.clear()
            case StageRestoring(stage):
                self._set(stage, "restoring", "").printed.clear()
            case StagePrinted(stage, line):
                self._print(stage, line, event.passing)
            case StageEnded():
                self._end(event)
            case RunEnded():
                self.headline, self.totals = "waits for a save", totals(event)
                self.last = f"{time.strftime('%H:%M:%S')}  {self.totals.partition(chr(10))[0]}"
            case Noticed(text, stage):
                self.notices.append(f"{stage}: {text}" if stage else text)
            case _:
                self._hear(event)

    def focus(self) -> Row | None:
        """The stage whose output matters most: it runs, or has failed, or has printed last."""
        for state in ("running", "failed"):
            if found := [row for row in self.rows.values() if row.state == state]:
                return found[-1] if state == "running" else found[0]
        return self.rows.get(self._printed_last)

    def in_order(self) -> list[Row]:
        """Those that ask for attention first."""
        rank = {state: number for number, state in enumerate(_ORDER)}
        return sorted(self.rows.values(), key=lambda row: rank.get(row.state, len(rank)))

    def explained(self) -> Iterator[str]:
        """What the newest plan said of each stage that it did not leave alone."""
        told = [decision for decision in self.decisions.values() if decision.reasons]
        if told:
            yield from ("What led to the run:", "")  # it may have ended, and none of them WILL RUN
        for decision in told:
            yield from (*explain(decision), "")

    def _hear(self, event: Event) -> None:
        match event:
            case Watching(polling):
                self.polling = polling
            case Changed(paths):
                self.headline, self.change = "plans", ", ".join(paths)
            case Unplanned(text, file):
                place = f"{file} cannot be imported; its stages are left out:" if file else "cannot be planned:"
                self.trouble = [place, *text.splitlines()]
                self.headline = self.headline if file else "waits for a save"
            case WaitingForLock(text):
                self.headline = f"waits: {text}"
            case Paused(on):
                self.paused = on

    def _plan(self, decisions: dict[str, Decision]) -> None:
        self.headline, self.trouble, self.decisions = "runs", [], decisions
        self.notices.clear()
        before, self.rows = self.rows, {}
        for name, decision in decisions.items():
            row = self.rows[name] = before.get(name) or Row(name)
            if decision.action is Action.KEEP:
                row.state, row.reason, row.failure = "up to date", "", ()
            elif row.state not in ("running", "restoring"):
                row.state, row.reason = _PLANNED[decision.action], in_short(decision)

    def _set(self, stage: str, state: State, reason: str) -> Row:
        row = self.rows.setdefault(stage, Row(stage))
        row.state, row.reason, row.since, row.failure = state, reason or row.reason, time.monotonic(), ()
        return row

    def _print(self, stage: str, line: str, passing: bool) -> None:
        row = self.rows.setdefault(stage, Row(stage))
        if not passing:
            row.printed.append(line)
            self._printed_last = stage

    def _end(self, ended: StageEnded) -> None:
        row = self.rows.setdefault(ended.stage, Row(ended.stage))
        row.state = "up to date" if ended.ending == "unchanged" else ended.ending
        row.took = ended.seconds or row.took
        if ended.ending in ("failed", "blocked", "skipped"):
            row.reason = readable(_last_line(ended.message), colour=False) or row.reason
        if ended.ending == "failed":
            row.failure = tuple(failure_lines(ended))


def _last_line(message: str) -> str:
    """What was raised: the end of a traceback, before the inputs are listed."""
    return message.partition("\nInputs:\n")[0].strip().rpartition("\n")[2].strip()
