"""What a push or a pull moves, as text: on a terminal while it goes on, and in one line when it is done."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.reports.units import seconds, size
from pivot.reports.usage import counted
from pivot.sharing.availability import Whereabouts
from pivot.sync.transfer.download import Receiving
from pivot.sync.transfer.progress import Moved, Moving
from pivot.sync.transfer.upload import Sending


def whereabouts_lines(found: Whereabouts) -> Iterator[str]:
    """What is on one side alone, by path, and how much is on both."""
    for paths, what, mend in (
        (found.here_only, "here only", f"git pivot push {found.remote}"),
        (found.there_only, f"on {found.remote} only", f"git pivot pull {found.remote}"),
        (found.nowhere, f"neither here nor on {found.remote}", "`git pivot push` in the clone that made it"),
    ):
        if paths:
            yield f"{what} ({mend}):"
            yield from (f"  {path}" for path in paths)
    yield f"{counted(len(found.both), 'output')} here and on {found.remote}"


def whereabouts_document(found: Whereabouts) -> dict[str, object]:
    return {
        "version": 1,
        "remote": found.remote,
        "both": list(found.both),
        "here_only": list(found.here_only),
        "there_only": list(found.there_only),
        "nowhere": list(found.nowhere),
    }


def moving_line(event: Moving) -> str:
    """How far it is: objects and bytes, rate, time left."""
    left = event.seconds_left
    rest = f", {seconds(left)} left" if left is not None and event.seconds > 1 else ""
    amount = f"{size(event.bytes)} of {size(event.of_bytes)}"
    return f"{event.verb} {event.objects}/{event.of_objects} objects, {amount}, {size(int(event.rate))}/s{rest}"


def moved_line(remote: str, verb: str, moved: Moved) -> str:
    """What was moved, and what went over the line for it."""
    if not (moved.objects or moved.large):
        return f"{remote}: outputs: nothing new"
    parts = [counted(moved.objects, "object")] if moved.objects else []
    parts += [counted(moved.large, "large file")] if moved.large else []
    line = f", {size(moved.wire)} over the line" if moved.wire else ""
    return f"{remote}: outputs: {verb} {', '.join(parts)}: {size(moved.bytes)}{line} in {seconds(moved.seconds)}"


def planned_line(remote: str, verb: str, plan: Sending | Receiving) -> str:
    """What would be moved."""
    large = len(plan.large)
    parts = [counted(plan.objects - large, "object")] if plan.objects > large else []
    parts += [counted(large, "large file")] if large else []
    what = f"would {verb} {', '.join(parts)}: {size(plan.bytes)}" if parts else "nothing new"
    return f"{remote}: outputs: {what}"
