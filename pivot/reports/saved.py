"""Edits that were put away, as text and as data."""

from __future__ import annotations

from pivot.reports.units import size
from pivot.store.worktree.saved_edits import SavedEntry


def saved_line(entry: SavedEntry) -> str:
    bytes_kept = size(entry.object.size)
    return f"{entry.object.id[:12]}  {entry.time}  {bytes_kept:>9}  {entry.path}  ({entry.why})"


def saved_document(entry: SavedEntry) -> dict[str, object]:
    """`saved --json`: sizes in bytes, times in ISO 8601."""
    return {
        "id": entry.object.id,
        "path": entry.path,
        "size": entry.object.size,
        "time": entry.time,
        "why": entry.why,
    }
