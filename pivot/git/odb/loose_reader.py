"""Loose objects of a repository, read by ourselves: to their end, within a bound, from alternates too.

Where: `objects/<2 hex>/<38 hex>`. Format: zlib over `<kind> <size>\\0` and the bytes. libgit2 1.9.7 does not come back
from one that was cut off in the middle (measured), and inflates whatever its header promises.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEADER = re.compile(rb"(blob|tree|commit|tag) (0|[1-9][0-9]{0,17})\0")
_LONGEST_HEADER = 64
_CHAIN = 5  # alternates of alternates, as far as Git follows them
_SLACK = 1024  # bytes that the deflated form may be longer than what it holds, and one part in 512


class Damaged(Exception):
    """The bytes are no loose object."""


class TooLarge(Exception):
    """The header promises more bytes than are allowed; nothing was inflated."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"{size} bytes, more than {most}")
        self.size = size
        self.most = most


class LooseReader:
    """The loose objects that a repository sees."""

    def __init__(self, common_dir: Path) -> None:
        self.folders = list(dict.fromkeys(_folders(f"{common_dir}/objects", _CHAIN)))

    def read(self, oid: str, most: int | None) -> tuple[str, bytes] | None:
        """Kind and bytes; None where the object is not loose.

        Raises:
            Damaged, TooLarge.
        """
        for folder in self.folders:
            try:
                kind, data = inflate(_read_file(f"{folder}/{oid[:2]}/{oid[2:]}", most), most)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise Damaged(error.strerror or str(error)) from error
            return kind.decode(), data
        return None


def inflate(packed: bytes, most: int | None) -> tuple[bytes, bytes]:
    """Kind and bytes of a loose object; whether they are the right ones is for the caller to check.

    Raises:
        Damaged, TooLarge.
    """
    stream = zlib.decompressobj()
    kind, size, begun = _begin(stream, packed)
    if most is not None and size > most:
        raise TooLarge(size, most)
    try:
        data = begun + stream.decompress(stream.unconsumed_tail, max(size - len(begun), 0) + 1)
    except zlib.error as error:
        raise Damaged(str(error)) from error
    if len(data) != size or not stream.eof:
        raise Damaged("it was cut off" if not stream.eof else "its size is not the one that it states")
    return kind, data


def read_header(start: bytes) -> tuple[bytes, int]:
    """Kind and size from the first bytes of a loose object.

    Raises:
        Damaged.
    """
    kind, size, _ = _begin(zlib.decompressobj(), start)
    return kind, size


def _begin(stream: zlib._Decompress, packed: bytes) -> tuple[bytes, int, bytes]:
    try:
        start = stream.decompress(packed, _LONGEST_HEADER)
    except zlib.error as error:
        raise Damaged(str(error)) from error
    found = _HEADER.match(start)
    if found is None:
        raise Damaged("it has no header")
    return found[1], int(found[2]), start[found.end() :]


def _read_file(path: str, most: int | None) -> bytes:
    """The file's bytes; of one too long to hold what is allowed, no more than its header."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if most is not None and size > most + (most >> 9) + _SLACK:
            raise TooLarge(max(read_header(os.read(descriptor, _SLACK))[1], size), most)
        return b"".join(iter(lambda: os.read(descriptor, size + 1), b""))
    finally:
        os.close(descriptor)


def _folders(objects: str, depth: int) -> Iterator[str]:
    """The object folder, and those that its `info/alternates` names."""
    yield objects
    try:
        lines = _read_file(f"{objects}/info/alternates", None).split(b"\n") if depth else []
    except OSError:
        return
    for line in lines:
        if line and not line.startswith(b"#"):
            yield from _folders(os.path.normpath(Path(objects, os.fsdecode(line))), depth - 1)
