"""The tree of outputs by path, as the store keeps it: one level as bytes, and the nested whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from pivot.errors import StoreError, UnsafePath
from pivot.git.odb.backend import TREE, TreeEntry
from pivot.git.safe_path import names_git_folder


class Held(Protocol):
    """A file or a directory: its object id and its Git mode."""

    @property
    def id(self) -> str: ...

    @property
    def mode(self) -> int: ...


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """The bytes of a tree, entries in Git's order (a directory sorts as if its name ended in a slash)."""
    rows = [(entry.name.encode("utf-8", "surrogateescape"), entry) for entry in entries]
    rows.sort(key=lambda row: row[0] + b"/" if row[1].mode == TREE else row[0])
    return b"".join(b"%o %s\0%s" % (entry.mode, name, bytes.fromhex(entry.oid)) for name, entry in rows)


def nest(outs: Mapping[str, Held], keep: Callable[[str, bytes], object]) -> str:
    """The tree id of outputs by repository-relative path; `keep` gets the id and bytes of each tree level.

    Raises:
        UnsafePath: a path with an empty part, `.`, `..` or `.git`.
        StoreError: one path is inside another.
    """
    entries: list[TreeEntry] = []
    below: dict[str, dict[str, Held]] = {}
    for path, held in outs.items():
        first, slash, rest = path.partition("/")
        refuse_name(first)
        if slash:
            below.setdefault(first, {})[rest] = held
        else:
            entries.append(TreeEntry(first, held.mode, held.id))
    for clash in below.keys() & {entry.name for entry in entries}:
        raise StoreError(f"one output is inside another at {clash}")
    entries += [TreeEntry(name, TREE, nest(inner, keep)) for name, inner in below.items()]
    data = encode_tree(entries)
    # The store is always SHA-1, whatever the format of the user's repository.
    tree = hashlib.sha1(b"tree %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    keep(tree, data)
    return tree


def refuse_name(name: str) -> None:
    """A tree may come from anyone; a name in it may not lead anywhere else.

    Raises:
        UnsafePath: empty, `.`, `..`, with a slash, or `.git` in some spelling.
    """
    if name in ("", ".", "..") or "/" in name or names_git_folder(name):
        raise UnsafePath(f"an object in the store names {name!r}, which no output may contain")
