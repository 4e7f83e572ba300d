"""Directories as Git trees: the format of one level, and the tree of outputs by path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pivot.errors import DamagedObject, StoreError, UnsafePath
from pivot.files import names_git_folder
from pivot.git.backend import BLOB, EXECUTABLE, SYMLINK, TREE, TreeEntry
from pivot.store.objects import Object, object_id


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """The bytes of a tree, entries in Git's order (a directory sorts as if its name ended in a slash)."""
    rows = [(_name_bytes(entry.name), entry) for entry in entries]
    rows.sort(key=lambda row: row[0] + b"/" if row[1].mode == TREE else row[0])
    return b"".join(b"%o %s\0%s" % (entry.mode, name, bytes.fromhex(entry.oid)) for name, entry in rows)


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
        entries.append(TreeEntry(name, _parse_mode(data[at:space]), data[end + 1 : end + 21].hex()))
        at = end + 21
    return entries


def _parse_mode(digits: bytes) -> int:
    mode = int(digits, 8) if digits.isdigit() else 0
    if mode not in (BLOB, EXECUTABLE, SYMLINK, TREE):
        raise DamagedObject(f"a tree in the store has an entry of mode {digits!r}")
    return mode


def _name_bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def nest(outs: Mapping[str, Object], keep: Callable[[str, bytes], object]) -> str:
    """The tree id of outputs by repository-relative path; `keep` gets the id and bytes of each tree level.

    Raises:
        UnsafePath: a path with an empty part, `.`, `..` or `.git`.
        StoreError: one path stands inside another.
    """
    entries: list[TreeEntry] = []
    below: dict[str, dict[str, Object]] = {}
    for path, held in outs.items():
        first, slash, rest = path.partition("/")
        refuse_name(first)
        if slash:
            below.setdefault(first, {})[rest] = held
        else:
            entries.append(TreeEntry(first, held.mode, held.id))
    for clash in below.keys() & {entry.name for entry in entries}:
        raise StoreError(f"one output stands inside another at {clash}")
    entries += [TreeEntry(name, TREE, nest(inner, keep)) for name, inner in below.items()]
    data = encode_tree(entries)
    tree = object_id(b"tree", data)
    keep(tree, data)
    return tree


def refuse_name(name: str) -> None:
    """A tree may come from anyone; a name in it may not lead anywhere else.

    Raises:
        UnsafePath: empty, `.`, `..`, with a slash, or `.git` in some spelling.
    """
    if name in ("", ".", "..") or "/" in name or names_git_folder(name):
        raise UnsafePath(f"an object in the store names {name!r}, which no output may contain")
