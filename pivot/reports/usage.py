"""What the store holds and what a clean-up took, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import to_builtins

from pivot.maintenance.disk_usage import Usage
from pivot.maintenance.gc import Collected
from pivot.reports.units import size
from pivot.sync.transfer.prune_remote import Cleaned


def collected_line(done: Collected, *, dry_run: bool) -> str:
    """What `gc` removed, or would."""
    parts = [
        counted(done.records, "result"),
        counted(done.pruned.objects, "object"),
        counted(done.pruned.large, "large file"),
    ]
    beside = f" (asked {done.repositories} repositories that use the store)" if done.repositories > 1 else ""
    verb = "would remove" if dry_run else "removed"
    return f"{verb} {', '.join(parts)}: {size(done.pruned.bytes)}{beside}"


def cleaned_line(done: Cleaned, *, dry_run: bool) -> str:
    """What a clean-up of a remote removed, or would."""
    parts = [counted(done.objects, "object"), counted(done.large, "large file")]
    if done.leftovers:
        parts.append(f"{counted(done.leftovers, 'file')} of broken pushes")
    return f"{'would remove' if dry_run else 'removed'} {', '.join(parts)}: {size(done.bytes)}"


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where there is not one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def usage_lines(usage: Usage) -> Iterator[str]:
    """A table of stages, the largest first, and what the store takes."""
    rows = [("stage", "results", "stored", "in use")]
    rows += [(row.stage, str(row.results), size(row.bytes), size(row.live)) for row in usage.stages]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, *figures in rows:
        cells = (text.rjust(width) for text, width in zip(figures, widths[1:], strict=True))
        yield "  ".join((name.ljust(widths[0]), *cells))
    yield f"{usage.store}: {size(usage.on_disk)} on the disk; `git pivot gc` would free {size(usage.dead)}"


def usage_document(usage: Usage) -> dict[str, object]:
    return {"version": 1, **to_builtins(usage)}
