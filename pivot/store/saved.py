"""The log of user edits that were put away before a path was replaced.

Where: `<pivot dir>/saved`, one line of JSON an entry, oldest first. Type:
`{"id", "mode", "path", "size", "time", "why"}`;
`time` is UTC in ISO 8601. A line that cannot be read (a torn one after a crash) is left out.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

from msgspec import Struct

from pivot.files import write_all
from pivot.store.objects import Object

KEPT_DAYS = 90  # for so long the bytes of an entry stay in the store


class SavedEntry(Struct, frozen=True):
    """An edit that was put away: what, from which repository-relative path, when (ISO 8601), and why."""

    object: Object
    path: str
    time: str
    why: str


class Saved:
    """The log of one work tree."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, path: str, obj: Object, why: str) -> None:
        """Add an entry; it is on the disk when this returns."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        line = {"id": obj.id, "mode": obj.mode, "path": path, "size": obj.size, "time": now, "why": why}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            write_all(descriptor, _newline_if_torn(descriptor) + json.dumps(line).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def entries(self) -> list[SavedEntry]:
        """All entries, oldest first."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [entry for entry in map(_parse, lines) if entry is not None]


def _newline_if_torn(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _parse(line: bytes) -> SavedEntry | None:
    try:
        value = json.loads(line)
        return SavedEntry(Object(value["id"], value["mode"], value["size"]), value["path"], value["time"], value["why"])
    except (ValueError, KeyError, TypeError):
        return None
