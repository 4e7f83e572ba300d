"""What the store holds: object ids, and the pointer that stands for a large file.

An id is the one that Git itself gives (SHA-1, whatever the format of the user's repository). A file of 1 MiB or more,
and a file whose bytes look like a pointer, is a *large file*: its blob is a pointer of three lines.
"""

from __future__ import annotations

import hashlib

from msgspec import Struct

from pivot.errors import DamagedObject
from pivot.git.odb.backend import TREE

LARGE = 1 << 20  # part of the format
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_HEX = frozenset("0123456789abcdef")
POINTER_MAX = 128  # bytes; a blob of more is no pointer
MOST_TREE = 64 << 20  # bytes of one directory level: a million and a half entries
MOST_DEPTH = 400  # directories in each other; Python's own recursion ends at about 1000
MOST_FILES = 10_000_000  # at and below one directory, each place counted


class Object(Struct, frozen=True):
    """A file or a directory that the store knows. `size` is in bytes, for a directory of all its files together."""

    id: str
    mode: int
    size: int

    @property
    def is_directory(self) -> bool:
        return self.mode == TREE


class ObjectProblem(Struct, frozen=True):
    """An object that is not as it should be: `what` is `missing` or `damaged`; `path` is relative to what was asked."""

    id: str
    what: str
    path: str


class Pointer(Struct, frozen=True):
    """What stands in Git for a large file."""

    blake3: str
    size: int

    def to_bytes(self) -> bytes:
        return b"pivot large file 1\nblake3 %s\nsize %d\n" % (self.blake3.encode(), self.size)

    @property
    def id(self) -> str:
        return object_id(b"blob", self.to_bytes())


def parse_pointer(data: bytes) -> Pointer | None:
    """The pointer that `data` is, or None: whatever is not exactly what `to_bytes` writes is none."""
    if len(data) > POINTER_MAX or not data.startswith(b"pivot large file 1\nblake3 "):
        return None
    fields = data.decode("ascii", "replace").split()
    if len(fields) != 8 or len(fields[5]) != 64 or not fields[7].isdecimal() or not set(fields[5]) <= _HEX:
        return None
    pointer = Pointer(fields[5], int(fields[7]))
    return pointer if pointer.to_bytes() == data else None


def refuse_size(oid: str, kind: bytes, size: int) -> None:
    """What is too large for its kind was not stored by Pivot; it is refused by its header, before it is inflated.

    Raises:
        DamagedObject: it is.
    """
    most = LARGE - 1 if kind == b"blob" else MOST_TREE
    if size > most:
        raise DamagedObject(f"object {oid} states {size:,} bytes; a {kind.decode()} in a store has at most {most:,}")


def object_id(kind: bytes, data: bytes) -> str:
    """The id of a `blob` or a `tree`; OpenSSL's SHA-1 is three times as fast as the one in libgit2."""
    digest = hashlib.sha1(b"%s %d\0" % (kind, len(data)), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()
