"""The stat cache: what a file held when it last looked like this (mtime, ctime, size, inode).

Where: `<pivot dir>/cache/stat`. Version: the first line. A damaged, foreign or missing file is an empty cache: it costs
time, nothing else. Type: marshal format 2 of two mappings, guarded by CRC-32:

    files   absolute path -> (mtime ns, ctime ns, size, inode, id)
    levels  absolute path of a directory -> (rows, ids, tree id, size in bytes)

`rows` is the marshalled list of what one scan of the directory saw, so that an unchanged directory is recognised by
one comparison of bytes; `ids` are the object ids of its rows, 20 bytes each.

Git's rule for racy timestamps: bytes that were read within one tick of the clock after the file's mtime may change
again without a trace in its stat data, so what was read then is not remembered.
"""

from __future__ import annotations

import marshal
import os
import zlib
from pathlib import Path
from typing import TypeVar

from pivot.files import write_atomic

FINE_TICK = 20_000_000  # ns; kernels stamp files with a clock that ticks every 1 to 10 ms
COARSE_TICK = 2_100_000_000  # ns; FAT counts in steps of two seconds, HFS+ and ext3 of one
NEVER = -1  # an mtime that no file has

_MAGIC = b"pivot stat cache 1\n"
_MARSHAL = 2  # later formats mark shared objects, which makes equal values unequal bytes
_LIMIT = 200_000

_LEVEL = (bytes, bytes, str, int)

FileRow = tuple[int, int, int, int, str]
Level = tuple[bytes, bytes, str, int]
_Row = TypeVar("_Row")


def is_racy(stat: os.stat_result, read_at: int) -> bool:
    """May bytes read from `read_at` (ns since the epoch) on change later without changing `stat`?"""
    newest = stat.st_mtime_ns
    tick = COARSE_TICK if newest % 1_000_000_000 == 0 and stat.st_ctime_ns % 1_000_000_000 == 0 else FINE_TICK
    return newest > read_at - tick


class StatCache:
    """Stat data -> object id, for one work tree."""

    def __init__(self, path: Path, files: dict[str, FileRow], levels: dict[str, Level]) -> None:
        self._path = path
        self._files = files
        self._levels = levels
        self._new_files: dict[str, FileRow] = {}
        self._new_levels: dict[str, Level] = {}
        self._dirty = False

    @classmethod
    def open(cls, path: Path) -> StatCache:
        """Read the cache; whatever is wrong with the file, the answer is a working cache."""
        try:
            with open(path, "rb") as file:
                files, levels = _parse(file.read())
        except (OSError, ValueError, EOFError, TypeError, MemoryError):  # a damaged length asks for all of it
            files, levels = {}, {}
        return cls(path, files, levels)

    def lookup(self, path: str, stat: os.stat_result) -> str | None:
        """The id of the file at `path` (absolute), if it still looks as it did."""
        row = self._files.get(path)
        if row is None or row[:4] != (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino):
            return None
        return row[4]

    def remember(self, path: str, stat: os.stat_result, oid: str, read_at: int) -> None:
        """The file looked like `stat` before and after it was read, which began at `read_at` (ns since the epoch)."""
        if is_racy(stat, read_at):
            return
        row = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, oid)
        self._files[path] = self._new_files[path] = row
        self._dirty = True

    def level(self, path: str) -> Level | None:
        """What is known of one directory."""
        return self._levels.get(path)

    def remember_level(self, path: str, level: Level) -> None:
        self._levels[path] = self._new_levels[path] = level
        self._dirty = True

    def save(self) -> None:
        """Write the cache if it learned anything; one that cannot be written is only slower next time."""
        if not self._dirty:
            return
        payload = _dump(_newest(self._files), _newest(self._levels))
        try:
            write_atomic(self._path, _MAGIC + zlib.crc32(payload).to_bytes(4, "big") + payload)
        except OSError:
            return
        self._dirty = False

    def delta(self) -> bytes:
        """What was learned since the cache was opened, for the parent process to absorb."""
        return _dump(self._new_files, self._new_levels)

    def absorb(self, delta: bytes) -> None:
        """Take over what a child learned; what is no such thing is left out: the user's code ran in that process."""
        try:
            files, levels = _load(delta)
        except (ValueError, EOFError, TypeError, MemoryError):
            return
        self._files.update(files)
        self._levels.update(levels)
        self._new_files.update(files)
        self._new_levels.update(levels)
        self._dirty = self._dirty or bool(files or levels)


def pack_rows(rows: list[tuple[object, ...]]) -> bytes:
    """The bytes by which one scan of a directory is compared with the next."""
    return marshal.dumps(rows, _MARSHAL)


def unpack_rows(data: bytes) -> list[tuple[str, int, int, int, int, int]]:
    rows: list[tuple[str, int, int, int, int, int]] = marshal.loads(data)
    return rows


def _dump(files: dict[str, FileRow], levels: dict[str, Level]) -> bytes:
    return marshal.dumps((files, levels), _MARSHAL)


def _newest(rows: dict[str, _Row]) -> dict[str, _Row]:
    return rows if len(rows) <= _LIMIT else dict(list(rows.items())[-_LIMIT // 2 :])


def _parse(data: bytes) -> tuple[dict[str, FileRow], dict[str, Level]]:
    start = len(_MAGIC) + 4
    payload = data[start:]
    if data[: len(_MAGIC)] != _MAGIC or zlib.crc32(payload).to_bytes(4, "big") != data[len(_MAGIC) : start]:
        raise ValueError("not a stat cache of this version")
    return _load(payload)


def _load(payload: bytes) -> tuple[dict[str, FileRow], dict[str, Level]]:
    files, levels = marshal.loads(payload)
    if not isinstance(files, dict) or not isinstance(levels, dict):
        raise ValueError("not a stat cache of this version")
    if not all(map(_is_file_row, files.values())) or not all(map(_is_level, levels.values())):
        raise ValueError("not a stat cache of this version")
    return files, levels


def _is_file_row(row: object) -> bool:
    return type(row) is tuple and len(row) == 5 and type(row[4]) is str


def _is_level(level: object) -> bool:
    return type(level) is tuple and tuple(map(type, level)) == _LEVEL
