"""What the store holds and what a clean-up took, as text and as JSON."""

from __future__ import annotations

from pivot.reports.run import size
from pivot.run.gc import Collected


def collected_line(done: Collected, *, dry_run: bool) -> str:
    """What `gc` removed, or would."""
    parts = [
        _count(done.records, "result"),
        _count(done.pruned.objects, "object"),
        _count(done.pruned.large, "large file"),
    ]
    beside = f" (asked {done.repositories} repositories that use the store)" if done.repositories > 1 else ""
    verb = "would remove" if dry_run else "removed"
    return f"{verb} {', '.join(parts)}: {size(done.pruned.bytes)}{beside}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
