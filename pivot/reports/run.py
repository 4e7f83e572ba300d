"""A run as text lines or as JSON events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from pivot.plan.decision import Action, Decision, Plan
from pivot.reports.forecast import forecast_document, forecast_lines
from pivot.reports.status import decision_document, in_short, reason_documents
from pivot.reports.units import begun, first, seconds, size
from pivot.run.events import (
    NOT_STARTED,
    Beat,
    Changed,
    Ending,
    Event,
    Noticed,
    Paused,
    RunEnded,
    RunForecast,
    RunPlanned,
    StageEnded,
    StagePrinted,
    StagePulling,
    StageRestoring,
    StageStarted,
    Unplanned,
    WaitingForLock,
    Watching,
)

Detail = Literal["quiet", "normal", "verbose"]
TOLD_FROM = 2.0
"""Seconds; nobody asks how long less than that will take."""
_QUIET = (RunForecast, StageStarted, StagePulling, StageRestoring, StagePrinted)
_PATHS = 3
_NAMES = 10
_WIDTH = 500  # of a printed line where a failure is told; its log has all of it


def event_lines(event: Event, detail: Detail = "normal") -> Iterator[str]:
    """The lines that plain output shows for an event; unchanged stages are only counted, unless it is `verbose`."""
    if detail == "quiet":
        yield from () if _is_talk(event) else _event_lines(event)
        return
    yield from _event_lines(event)
    if detail == "verbose":
        yield from _more_lines(event)


def _is_talk(event: Event) -> bool:
    """Whether this is about a stage that went well."""
    return isinstance(event, _QUIET) or (isinstance(event, StageEnded) and event.ending in ("ran", "restored"))


def _more_lines(event: Event) -> Iterator[str]:
    match event:
        case StageEnded(stage, "unchanged"):
            yield f"{stage}: unchanged"
        case StageStarted(stage, reasons):
            for reason in reasons:
                yield f"{stage}:   {reason.text}"
                yield from (
                    f"{stage}:     {one.name}" + (f" ({one.where})" if one.where else "") for one in reason.changes
                )


def _event_lines(event: Event) -> Iterator[str]:
    match event:
        case RunForecast(expected) if expected.seconds >= TOLD_FROM:
            yield from forecast_lines(expected)
        case StageStarted(stage, reasons):
            yield f"{stage}: runs ({in_short(Decision(stage, Action.RUN, reasons))})"
        case StagePulling(stage, remote, bytes_):
            yield f"{stage}: pulls {size(bytes_)} from {remote}"
        case StagePrinted(stage, line, passing):
            # A progress bar's intermediate states are for a live display only.
            yield from () if passing else [f"{stage} | {line}"]
        case StageEnded(ending="ran"):
            yield f"{event.stage}: done in {seconds(event.seconds)}"
        case StageEnded(ending="restored"):
            yield f"{event.stage}: restored"
        case StageEnded(ending="failed"):
            yield from failure_lines(event)
        case StageEnded(ending="skipped", message=message) if message == NOT_STARTED:
            pass  # the totals name them: after Ctrl-C there may be thousands
        case StageEnded(ending="blocked" | "skipped"):
            yield f"{event.stage}: {event.ending}: {event.message}"
        case Noticed(text, stage):
            yield f"{stage}: {text}" if stage else text
        case RunEnded():
            yield totals(event)
        case _:
            yield from _watch_lines(event)


def _watch_lines(event: Event) -> Iterator[str]:
    match event:
        case Watching(polling):
            yield f"watching, by looking at the files once a second: {polling}" if polling else "watching; Ctrl-C ends"
        case Changed(paths):
            yield f"changed: {first(paths, _PATHS)}"
        case Unplanned(text, file):
            yield (
                f"{file} cannot be imported; its stages are left out"
                if file
                else "nothing can be run as the files are now"
            )
            yield from (f"  {line}" for line in text.splitlines())
        case WaitingForLock(text):
            yield f"waiting: {text}"
        case Paused(on):
            yield "paused" if on else "goes on"


def failure_lines(event: StageEnded) -> Iterator[str]:
    yield f"{event.stage}: FAILED after {seconds(event.seconds)}"
    for line in event.message.splitlines():
        yield f"  {line}" if line else ""
    if event.tail:
        yield f"  Output (last {len(event.tail)} lines):" if len(event.tail) > 1 else "  Output:"
        yield from (f"    {begun(line, _WIDTH)}" for line in event.tail)
    if event.log:
        yield f"  Log: {event.log}"
    if event.partial:
        yield f"  What it had written: {event.partial}"


def totals(event: RunEnded, elapsed: str = "") -> str:
    """The summary line, then the stages without a result; of those that are not at fault the first few are named."""
    text = (
        f"{event.count('ran')} ran, {event.count('restored')} restored, {event.count('unchanged')} unchanged, "
        f"{event.count('failed')} failed in {elapsed or seconds(event.seconds)}"
    )
    for ending in ("failed", "blocked", "skipped"):
        names = [stage for stage, found in event.endings.items() if found == ending]
        if names:
            text += f"\n{ending}: {', '.join(names) if ending == 'failed' else first(names, _NAMES)}"
    return text + ("\ninterrupted" if event.interrupted else "")


def event_document(event: Event) -> dict[str, object]:
    """`repro --json`: one object a line; `event` names the kind."""
    match event:
        case RunPlanned(plan):
            return {"event": "planned", "stages": [decision_document(one) for one in plan.decisions.values()]}
        case RunForecast(forecast):
            return {"event": "forecast", **forecast_document(forecast)}
        case StageStarted(stage, reasons):
            return {
                "event": "started",
                "stage": stage,
                "reasons": reason_documents(reasons),
                "expected": event.expected if event.expected is None else round(event.expected, 3),
            }
        case StagePulling(stage, remote, bytes_):
            return {"event": "pulling", "stage": stage, "remote": remote, "size": bytes_}
        case StageRestoring(stage, bytes_):
            return {"event": "restoring", "stage": stage, "size": bytes_}
        case StagePrinted(stage, line):
            return {"event": "printed", "stage": stage, "line": line, "passing": event.passing}
        case StageEnded():
            return {
                "event": "ended",
                "stage": event.stage,
                "ending": event.ending,
                "seconds": round(event.seconds, 6),
                "message": event.message,
                "log": event.log,
                "tail": list(event.tail),
                "partial": event.partial,
                "reasons": reason_documents(event.reasons),
            }
        case Noticed(text, stage):
            return {"event": "noticed", "stage": stage, "text": text}
        case RunEnded():
            counts = {kind: event.count(kind) for kind in get_args(Ending)}
            return {"event": "run-ended", **counts, "seconds": round(event.seconds, 6), "ok": event.ok}
        case _:
            return _watch_document(event)


def _watch_document(event: Watching | Changed | Unplanned | WaitingForLock | Paused | Beat) -> dict[str, object]:
    match event:
        case Watching(polling):
            return {"event": "watching", "polling": polling}
        case Changed(paths):
            return {"event": "changed", "paths": list(paths)}
        case Unplanned(text, file):
            return {"event": "unplanned", "text": text, "file": file}
        case WaitingForLock(text):
            return {"event": "waiting", "text": text}
        case Paused(on):
            return {"event": "paused", "on": on}
        case Beat(key):
            return {"event": "beat", "key": key}


def dry_run_lines(plan: Plan) -> Iterator[str]:
    if all(decision.action is Action.KEEP for decision in plan.decisions.values()):
        yield "nothing to do"
    for decision in plan.decisions.values():
        if decision.action is not Action.KEEP:
            yield f"would {decision.action}: {decision.stage} ({in_short(decision)})"
