"""The log of user edits that were put away before a path was replaced.

Where: `<pivot dir>/saved`, one line of JSON an entry, oldest first. Type:
`{"id", "left", "mode", "path", "size", "time", "why"}`, where `left` is the commit that was checked out, if the edit
comes back with it; `{"back", "path"}` says that it has, with the commit; `{"dropped", "path"}` takes the entry with
this id back: it was no edit. `time` is UTC in ISO 8601. A line that cannot be read (a torn one after a crash) is left
out.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from pivot.files import write_all
from pivot.store.odb.objects import Object

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

    def append(self, path: str, obj: Object, why: str, *, left: str = "") -> None:
        """Add an entry; it is on the disk when this returns. With `left` it comes back with that commit."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        line = {"id": obj.id, "mode": obj.mode, "path": path, "size": obj.size, "time": now, "why": why}
        self._write(line | {"left": left} if left else line)

    def returned(self, path: str, commit: str) -> None:
        """What was left at this commit is in place again."""
        self._write({"back": commit, "path": path})

    def drop(self, path: str, obj: Object) -> None:
        """Take an entry back: a stage made these very bytes."""
        self._write({"dropped": obj.id, "path": path})

    def left_at(self, commit: str) -> dict[str, Object]:
        """What is to come back with a commit, by path."""
        left: dict[str, Object] = {}
        for value in map(_value, self._lines()):
            entry = _parse(value)
            if entry and value.get("left") == commit:
                left[entry.path] = entry.object
            elif value.get("back") == commit:
                left.pop(str(value.get("path")), None)
        return left

    def entries(self) -> list[SavedEntry]:
        """All entries, oldest first; what was put away several times counts for the last of them."""
        found: list[SavedEntry] = []
        for value in map(_value, self._lines()):
            if entry := _parse(value):
                found.append(entry)
            elif "dropped" in value:
                gone = (value.get("path"), value["dropped"])
                found = [held for held in found if (held.path, held.object.id) != gone]
        newest = {(entry.path, entry.object): at for at, entry in enumerate(found)}
        return [found[at] for at in sorted(newest.values())]

    def _lines(self) -> list[bytes]:
        try:
            return self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []

    def _write(self, line: dict[str, object]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            write_all(descriptor, _newline_if_torn(descriptor) + json.dumps(line).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _newline_if_torn(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _value(line: bytes) -> dict[str, Any]:
    """Of a line; empty where it cannot be read."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _parse(value: dict[str, Any]) -> SavedEntry | None:
    try:
        line = msgspec.convert(value, _LogLine)
    except msgspec.ValidationError:
        return None
    return SavedEntry(Object(line.id, line.mode, line.size), line.path, line.time, line.why)


class _LogLine(Struct):
    """An entry as the log has it."""

    id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{40}\Z")]
    mode: Literal[0o100644, 0o100755, 0o120000, 0o040000]
    path: str
    size: Annotated[int, Meta(ge=0)]
    time: str
    why: str
