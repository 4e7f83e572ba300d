"""Directories as Git trees: reading one level."""

from __future__ import annotations

import re

from pivot.errors import DamagedObject
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE, TreeEntry

_MODE = re.compile(rb"[0-7]{5,6}")


def parse_tree(data: bytes) -> list[TreeEntry]:
    """The entries of a tree.

    Raises:
        DamagedObject: the bytes are no tree, or hold a name or a mode that the store never writes.
    """
    entries, at = [], 0
    while at < len(data):
        space, end = data.find(b" ", at), data.find(b"\0", at)
        if not at < space < end or end + 21 > len(data):
            raise DamagedObject("a tree in the store cannot be read")
        name = data[space + 1 : end].decode("utf-8", "surrogateescape")
        if not name or "/" in name or name in (".", ".."):
            raise DamagedObject("a tree in the store has an entry without a proper name")
        entries.append(TreeEntry(name, _parse_mode(data[at:space]), data[end + 1 : end + 21].hex()))
        at = end + 21
    return entries


def _parse_mode(digits: bytes) -> int:
    mode = int(digits, 8) if _MODE.fullmatch(digits) else 0
    if mode not in (BLOB, EXECUTABLE, SYMLINK, TREE):
        raise DamagedObject(f"a tree in the store has an entry of mode {digits!r}")
    return mode
