"""`status --explain` as text: one block a stage, two spaces a level."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from pivot.plan.decision import Action, Change, Decision, Reason, ReasonKind
from pivot.reports.status import rival_text

STATUS = {
    Action.KEEP: "UP TO DATE",
    Action.RESTORE: "WILL RESTORE",
    Action.RUN: "WILL RUN",
    Action.WAIT: "WAITS FOR UPSTREAM",
    Action.BLOCKED: "BLOCKED",
}
_IDS = {
    ReasonKind.CODE,
    ReasonKind.DATA,
    ReasonKind.EDITED_OUTPUT,
    ReasonKind.MISSING_OUTPUT,
    ReasonKind.LOST,
    ReasonKind.NOT_DOWNLOADED,
}
_VALUES = {ReasonKind.PARAMS, ReasonKind.SPEC}
_SHOWN = 8

Source = Callable[[str], str | None]


def explain(decision: Decision, source: Source | None = None) -> Iterator[str]:
    """The lines that say what is done with a stage, and all that differs.

    `source` gives the source text of a manifest entry by its digest; with it, changed lines are shown.
    """
    yield f"Stage: {decision.stage}"
    yield f"  Status: {STATUS[decision.action]}"
    yield from (f"  Reason: {reason.text}" for reason in decision.reasons)
    if decision.accepted:
        yield f"  Accepted: {decision.accepted.removeprefix('accepted ')}"
    yield from (f"  Warning: {text}" for text in decision.warnings)
    if decision.results > 1:
        yield f"  Not deterministic: {decision.results} results are known for this situation"
        yield from (f"    {rival_text(one)}" for one in decision.rivals)
    yield from change_lines(decision.reasons, source)


def change_lines(reasons: Iterable[Reason], source: Source | None = None) -> Iterator[str]:
    """All that differs, under its own heading; nothing where no single thing is named."""
    changes = [(reason, change) for reason in reasons for change in reason.changes]
    if changes:
        yield ""
        yield "  Changes:"
    for reason, change in changes:
        yield f"    {change.name}"
        yield from (f"      {line}" for line in _details(reason, change))
        if source and reason.why is ReasonKind.CODE:
            yield from (f"      {line}" for line in changed_lines(change, source))


def changed_lines(change: Change, source: Source) -> Iterator[str]:
    """The lines of an entry's source that differ, with three lines around them, without file names."""
    texts = [source(digest) if digest else "" for digest in (change.old, change.new)]
    if texts[0] is None or texts[1] is None:
        yield "(the source of one side is not known here)"
        return
    before, after = (text.splitlines() for text in texts if text is not None)
    yield from list(difflib.unified_diff(before, after, lineterm=""))[2:]


def _details(reason: Reason, change: Change) -> Iterator[str]:
    if reason.why in _IDS | _VALUES:
        short = _SHOWN if reason.why in _IDS else None
        yield f"Old: {_side(change.old, short)}"
        yield f"New: {_side(change.new, short)}"
    if change.where:
        yield f"File: {change.where}"
    if change.note:
        yield f"Note: {change.note}"


def _side(value: str | None, short: int | None) -> str:
    return "(none)" if value is None else value[:short]
