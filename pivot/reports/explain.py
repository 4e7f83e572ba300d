"""`status --explain` as text: one block a stage, two spaces a level."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.plan.decision import Action, Change, Decision, Reason, Why

STATUS = {
    Action.KEEP: "UP TO DATE",
    Action.RESTORE: "WILL RESTORE",
    Action.RUN: "WILL RUN",
    Action.WAIT: "WAITS FOR UPSTREAM",
    Action.BLOCKED: "BLOCKED",
}
_OLD_AND_NEW = {Why.CODE, Why.DATA, Why.PARAMS, Why.SPEC, Why.EDITED_OUTPUT, Why.MISSING_OUTPUT, Why.LOST}


def explain(decision: Decision) -> Iterator[str]:
    """The lines that say what is done with a stage, and all that differs."""
    yield f"Stage: {decision.stage}"
    yield f"  Status: {STATUS[decision.action]}"
    for reason in decision.reasons:
        yield f"  Reason: {reason.text}"
    if decision.results > 1:
        yield f"  Not deterministic: {decision.results} results are known for this situation"
    changes = [(reason, change) for reason in decision.reasons for change in reason.changes]
    if changes:
        yield ""
        yield "  Changes:"
    for reason, change in changes:
        yield f"    {change.name}"
        yield from _details(reason, change)


def _details(reason: Reason, change: Change) -> Iterator[str]:
    if reason.why in _OLD_AND_NEW:
        yield f"      Old: {_side(change.old)}"
        yield f"      New: {_side(change.new)}"
    if change.where:
        yield f"      File: {change.where}"
    if change.note:
        yield f"      Note: {change.note}"


def _side(value: str | None) -> str:
    return "(none)" if value is None else value
