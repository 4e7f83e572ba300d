"""What Pivot asks of a Git repository: about ten verbs, with two implementations and one contract suite.

`libgit_backend` works through pygit2, `process_backend` through the `git` program, for repositories that libgit2
refuses (SHA-256, reftable, unknown extensions). Ids are lower-case hex strings of the repository's object format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

BLOB = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
TREE = 0o040000


class TreeEntry(NamedTuple):
    """One entry of a Git tree; `mode` is one of BLOB, EXECUTABLE, SYMLINK, TREE (or a gitlink, left alone)."""

    name: str
    mode: int
    oid: str


class Author(Struct, frozen=True):
    """Who made a commit, and when (seconds since the epoch, offset from UTC in minutes)."""

    name: str
    email: str
    time: int
    offset: int = 0


class Commit(NamedTuple):
    """What Pivot reads of a commit; `author` is the author's line as it stands."""

    tree: str
    parents: tuple[str, ...]
    author: str
    message: str


class Backend(Protocol):
    """An open repository. Every method raises `GitError` when Git fails, unless said otherwise.

    `algorithm` is the repository's object format, `sha1` or `sha256`.
    """

    git_dir: Path
    common_dir: Path
    algorithm: str

    def read(self, oid: str, most: int | None = None) -> tuple[str, bytes]:
        """The kind and the bytes of any object; `MissingObject` when it is not here.

        `UnreadableObject` when it is damaged, or has more than `most` bytes: such a one is refused by its header.
        """
        ...

    def read_bytes(self, kind: str, oid: str, most: int | None = None) -> bytes:
        """The bytes of an object that must be of this kind; trees and commits have bounds of their own."""
        ...

    def write(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        """Write objects (kind, bytes), many at a time in one pack; ids in the order given."""
        ...

    def read_blob(self, oid: str, most: int | None = None) -> bytes:
        """The bytes of a blob, read as `read` does."""
        ...

    def write_blobs(self, contents: Sequence[bytes]) -> list[str]:
        """Write blobs; ids in the order given."""
        ...

    def read_tree(self, oid: str) -> list[TreeEntry]:
        """The entries of a tree in Git's order; `MissingObject` when it is not here."""
        ...

    def write_tree(self, entries: Iterable[TreeEntry]) -> str:
        """Write one tree level; entries may come in any order, names must be single path components."""
        ...

    def write_commit(self, tree: str, parents: Sequence[str], message: str, author: Author) -> str: ...

    def ref_get(self, name: str) -> str | None:
        """The id that a ref holds, or None."""
        ...

    def ref_cas(self, name: str, new: str | None, old: str | None, why: str) -> None:
        """Move a ref from `old` (None: it must not exist) to `new` (None: delete it).

        `RefMoved` when it is not at `old`, or its lock is held: read again, merge, try again.
        """
        ...

    def refs(self, prefix: str) -> dict[str, str]:
        """All refs whose names start with `prefix`."""
        ...

    def resolve(self, revision: str) -> str | None:
        """The commit that a revision names, or None."""
        ...

    def tree_of(self, revision: str) -> str | None:
        """The tree of a commit-ish or tree-ish, or None."""
        ...

    def read_commit(self, oid: str) -> Commit: ...

    def parents_of(self, commit: str) -> list[str]:
        """The parents as the commit names them, which in a shallow clone need not be here."""
        ...

    def merge_base(self, one: str, two: str) -> str | None:
        """A best common ancestor of two commits; None where histories are unrelated or cut off."""
        ...

    def has(self, oids: Iterable[str]) -> set[str]:
        """Those of `oids` that are here."""
        ...

    def close(self) -> None: ...
