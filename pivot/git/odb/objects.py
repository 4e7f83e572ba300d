"""Git's objects as bytes: ids, trees and commits, alike for every backend and object format."""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pivot.errors import GitError, MissingObject, UnreadableObject
from pivot.git.odb.backend import TREE, Author, Commit, TreeEntry

Kind = Literal["blob", "tree", "commit", "tag"]

EMPTY_TREE = b""
_DAMAGED = "a tree object in the repository is damaged"
_KEEP = "Run `git fsck --full` to list the damaged objects. `git fetch --refetch REMOTE` downloads intact copies."

MOST_TREE = 64 << 20  # bytes of one level: a million and a half entries
MOST_COMMIT = 16 << 20  # bytes; a union carries the messages of 200 commits
LOST = (MissingObject, UnreadableObject)
"""Why an object cannot be had; metadata that is lost so is left out, and named by `git pivot fsck`."""
ID_BYTES = {"sha1": 20, "sha256": 32}

_ENTRY = {
    "sha1": re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL),
    "sha256": re.compile(rb"([0-7]+) ([^\0]+)\0(.{32})", re.DOTALL),
}
# The same with each entry whole, for trees that are changed and not read.
_WHOLE = {
    "sha1": re.compile(rb"(([0-7]+) ([^\0]+)\0.{20})", re.DOTALL),
    "sha256": re.compile(rb"(([0-7]+) ([^\0]+)\0.{32})", re.DOTALL),
}
# A search in the bytes of a tree cannot be taken in by an id when what it looks for is longer than one.
LONG_NAME = 30
_MOST = {"tree": MOST_TREE, "commit": MOST_COMMIT}
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MODES = (b"100644", b"100755", b"120000", b"160000", b"40000")


def object_id(kind: str, data: bytes, algorithm: str) -> str:
    """The id that Git gives to these bytes; `algorithm` is `sha1` or `sha256`."""
    digest = hashlib.new(algorithm, f"{kind} {len(data)}\0".encode(), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def parse_tree(data: bytes, algorithm: str) -> list[TreeEntry]:
    """The entries of a tree, in Git's order.

    Raises:
        GitError: these bytes are not a tree.
    """
    entries, seen = [], 0
    for found in _ENTRY[algorithm].finditer(data):
        mode, name, oid = found.groups()
        entries.append(TreeEntry(name.decode("utf-8", "surrogateescape"), int(mode, 8), oid.hex()))
        if found.start() != seen:
            break
        seen = found.end()
    if seen != len(data):
        raise UnreadableObject(_DAMAGED, hint=_KEEP)
    return entries


def format_tree(entries: Iterable[TreeEntry]) -> bytes:
    """The bytes of a tree.

    Raises:
        GitError: a name that Git does not allow in a tree, or one that stands twice.
    """
    keyed = sorted(map(_keyed, entries))
    if len({key.removesuffix(b"/") for key, _ in keyed}) != len(keyed):
        raise GitError("two entries of one name may not stand in a tree")
    return b"".join(whole for _, whole in keyed)


def edit_tree(data: bytes, changes: Mapping[str, TreeEntry | None], algorithm: str) -> bytes:
    """The bytes of a tree with entries put in, replaced or taken out (None); ten times as fast as reading it all.

    Raises:
        GitError: these bytes are not a tree, or a name may not stand in one.
    """
    found = _WHOLE[algorithm].findall(data)
    entries = [whole for whole, _, _ in found]
    keys = [name + b"/" if mode == b"40000" else name for _, mode, name in found]
    if sum(map(len, entries)) != len(data):
        raise UnreadableObject(_DAMAGED, hint=_KEEP)
    for name, entry in changes.items():
        plain = name.encode("utf-8", "surrogateescape")
        for key in (plain, plain + b"/"):
            at = bisect.bisect_left(keys, key)
            if keys[at : at + 1] == [key]:
                del keys[at], entries[at]
        if entry:
            key, whole = _keyed(entry)
            at = bisect.bisect_left(keys, key)
            keys.insert(at, key)
            entries.insert(at, whole)
    return b"".join(entries)


def entries_from(data: bytes, start: str, algorithm: str) -> list[TreeEntry]:
    """The entries of a tree whose names begin with `start`, which must be at least LONG_NAME characters long.

    Raises:
        GitError: these bytes are not a tree.
    """
    sought, found, length = b" " + start.encode(), [], ID_BYTES[algorithm]
    at = data.find(sought)
    while at >= 0:
        # The id before an entry may end in bytes that are digits: only a whole mode counts.
        mode = next((mode for mode in _MODES if data.endswith(mode, 0, at)), None)
        end = data.find(b"\0", at)
        if mode is None or end + length >= len(data):
            raise UnreadableObject(_DAMAGED, hint=_KEEP)
        name = data[at + 1 : end].decode("utf-8", "surrogateescape")
        found.append(TreeEntry(name, int(mode, 8), data[end + 1 : end + 1 + length].hex()))
        at = data.find(sought, end + 1 + length)
    return found


def is_component(name: str) -> bool:
    """Whether Git allows this name in a tree."""
    return bool(name) and "/" not in name and "\0" not in name and name not in (".", "..") and name.lower() != ".git"


def parse_commit(data: bytes) -> Commit:
    """The tree, parents, author and message of a commit.

    Raises:
        GitError: these bytes are not a commit.
    """
    head, _, message = data.partition(b"\n\n")
    tree, parents, author = "", [], ""
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"tree":
            tree = value.decode("ascii", "replace")
        elif key == b"parent":
            parents.append(value.decode("ascii", "replace"))
        elif key == b"author":
            author = value.decode("utf-8", "surrogateescape")
    if not _OBJECT_ID.fullmatch(tree) or not all(map(_OBJECT_ID.fullmatch, parents)):
        raise UnreadableObject("a commit object in the repository is damaged", hint=_KEEP)
    return Commit(tree, tuple(parents), author, message.decode("utf-8", "surrogateescape"))


def format_commit(tree: str, parents: Sequence[str], message: str, author: Author) -> bytes:
    """The bytes of an unsigned commit whose committer is its author."""
    minutes = abs(author.offset)
    zone = f"{'-' if author.offset < 0 else '+'}{minutes // 60:02}{minutes % 60:02}"
    who = f"{_plain(author.name)} <{_plain(author.email)}> {author.time} {zone}"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {who}", f"committer {who}", "", ""]
    return ("\n".join(lines) + message.rstrip("\n") + "\n").encode("utf-8", "surrogateescape")


class ObjectVerbs:
    """The verbs of a `Backend` that follow from `read` and `write`."""

    algorithm: str

    def read(self, oid: str, most: int | None = None) -> tuple[str, bytes]:
        raise NotImplementedError

    def write(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        raise NotImplementedError

    def read_blob(self, oid: str, most: int | None = None) -> bytes:
        return self.read_bytes("blob", oid, most)

    def read_bytes(self, kind: str, oid: str, most: int | None = None) -> bytes:
        if kind == "tree" and oid == object_id("tree", EMPTY_TREE, self.algorithm):
            return EMPTY_TREE  # git knows the empty tree without having it
        found, data = self.read(oid, _MOST.get(kind, most))
        if found != kind:
            raise UnreadableObject(f"object {oid} is a {found}, not a {kind}")
        return data

    def write_blobs(self, contents: Sequence[bytes]) -> list[str]:
        return self.write([("blob", content) for content in contents])

    def read_tree(self, oid: str) -> list[TreeEntry]:
        return parse_tree(self.read_bytes("tree", oid), self.algorithm)

    def write_tree(self, entries: Iterable[TreeEntry]) -> str:
        return self.write([("tree", format_tree(entries))])[0]

    def write_commit(self, tree: str, parents: Sequence[str], message: str, author: Author) -> str:
        return self.write([("commit", format_commit(tree, parents, message, author))])[0]

    def read_commit(self, oid: str) -> Commit:
        return parse_commit(self.read_bytes("commit", oid))

    def parents_of(self, commit: str) -> list[str]:
        return list(self.read_commit(commit).parents)


def unreadable(oid: str, why: str, where: str) -> UnreadableObject:
    """An object that is here and cannot be read."""
    return UnreadableObject(f"object {oid} cannot be read: {why}", where=where, hint=_KEEP)


def too_large(oid: str, size: int, most: int) -> UnreadableObject:
    """An object that has more bytes than what it is read as may have; it was not inflated."""
    return UnreadableObject(f"object {oid} has {size:,} bytes, more than the {most:,} that Pivot reads there")


def missing(oid: str, where: str) -> MissingObject:
    hint = "`git fsck --full` says what is lost; `git fetch` may bring it, `git update-ref -d REF` gives a ref up."
    return MissingObject(f"object {oid} is not in the repository", where=where, hint=hint)


def _keyed(entry: TreeEntry) -> tuple[bytes, bytes]:
    """An entry's place in a tree, as if the name of a folder ended with a slash, and its bytes."""
    name, mode, oid = entry
    if not is_component(name):
        raise GitError(f"{name!r} may not stand in a tree")
    plain = name.encode("utf-8", "surrogateescape")
    return plain + b"/" if mode == TREE else plain, b"%o %s\0%s" % (mode, plain, bytes.fromhex(oid))


def _plain(text: str) -> str:
    """A name or address as Git writes it: without the characters that end a field."""
    return text.translate(dict.fromkeys(map(ord, "<>\n\0"))).strip()
