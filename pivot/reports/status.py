"""`status` as text: one line a stage that is not up to date, and a summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pivot.plan.decision import Action, AlternativeResult, Change, Decision, Plan, Reason, ReasonKind
from pivot.reports.units import first

_WORDS = {
    Action.KEEP: "up to date",
    Action.RESTORE: "to restore",
    Action.RUN: "to run",
    Action.WAIT: "waiting for upstream",
    Action.BLOCKED: "blocked",
}

_UNSTEADY = "not deterministic: {} results for one situation"


def status_lines(plan: Plan) -> Iterator[str]:
    """Each stage that `repro` would touch with its first reason, then how many there are of each kind."""
    rows = [(one.stage, text) for one in plan.decisions.values() for text in _remarkable(one)]
    width = max((len(stage) for stage, _ in rows), default=0)
    for stage, text in rows:
        yield f"{stage:<{width}}  {text}"
    yield summary(plan)
    if away := sum(bool(one.away) for one in plan.decisions.values()):
        yield f"Outputs of {_stages(away)} are not here; `repro` pulls what it needs, `git pivot pull` all of them."
    if missing := sum(
        any(why.why is ReasonKind.NOT_DOWNLOADED for why in one.reasons) for one in plan.decisions.values()
    ):
        yield (
            f"Outputs of {_stages(missing)} are not downloaded: no remote is configured. "
            "Run `git pivot remote add NAME URL`, then `git pivot pull`."
        )


def _remarkable(decision: Decision) -> Iterator[str]:
    """What is to be said of a stage; nothing of most that are up to date."""
    if decision.action is not Action.KEEP or decision.results > 1:
        yield in_short(decision)
        if decision.rivals and decision.action is not Action.KEEP:
            yield _UNSTEADY.format(decision.results)
        yield from map(rival_text, decision.rivals)
    if decision.accepted:
        yield decision.accepted
    yield from (f"warning: {text}" for text in decision.warnings)


def rival_text(rival: AlternativeResult) -> str:
    """One of several results, and who made it when."""
    return "  ".join(filter(None, [f"result {rival.result}", rival.finished, rival.user, rival.host]))


def in_short(decision: Decision) -> str:
    """The first reason, with the first thing that changed: `code changed: func:normalize (utils.py:15)`."""
    if decision.action is Action.KEEP:
        return _UNSTEADY.format(decision.results) if decision.results > 1 else "up to date"
    if decision.action is Action.RESTORE:
        return "outputs will be restored: " + "; ".join(_short(reason) for reason in decision.reasons)
    leading, *others = decision.reasons
    return "; ".join([_short(leading), *(reason.text[0].lower() + reason.text[1:] for reason in others)])


def _short(reason: Reason) -> str:
    if reason.why in (ReasonKind.UPSTREAM, ReasonKind.UPSTREAM_FAILED) or not reason.changes:
        return reason.text[0].lower() + reason.text[1:]
    note = f": {reason.changes[0].note}" if reason.why is ReasonKind.MISSING_INPUT and reason.changes[0].note else ""
    return f"{reason.why}: {first([*map(_changed, reason.changes)], 1)}{note}"


def _changed(change: Change) -> str:
    return f"{change.name} ({change.where})" if change.where else change.name


def summary(plan: Plan) -> str:
    counts = {action: len(stages) for action, stages in plan.actions().items()}
    total = sum(counts.values())
    if not total:
        return "No stages."
    if counts[Action.KEEP] == total:
        return f"All {_stages(total)} up to date." if total > 1 else "1 stage up to date."
    return _stages(total) + ": " + ", ".join(f"{count} {_WORDS[action]}" for action, count in counts.items() if count)


def _stages(count: int) -> str:
    return f"{count} stage{'' if count == 1 else 's'}"


def status_document(decisions: Iterable[Decision]) -> dict[str, object]:
    """`status --json`: one object a stage, in running order."""
    return {"version": 1, "stages": [decision_document(decision) for decision in decisions]}


def decision_document(decision: Decision) -> dict[str, object]:
    return {
        "stage": decision.stage,
        "action": decision.action.value,
        "fingerprint": decision.fingerprint,
        "result": decision.record.result if decision.record else None,
        "results": decision.results,
        "rivals": [
            {"result": one.result, "finished": one.finished, "user": one.user, "host": one.host}
            for one in decision.rivals
        ],
        "accepted": decision.accepted,
        "away": list(decision.away),
        "warnings": list(decision.warnings),
        "reasons": reason_documents(decision.reasons),
    }


def reason_documents(reasons: Iterable[Reason]) -> list[dict[str, object]]:
    return [
        {
            "why": reason.why.value,
            "text": reason.text,
            "changes": [
                {"name": one.name, "old": one.old, "new": one.new, "where": one.where, "note": one.note}
                for one in reason.changes
            ],
        }
        for reason in reasons
    ]
