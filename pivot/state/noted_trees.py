"""Which noted commits have a tree: an index over the notes, kept from one command to the next.

Where: `<git dir>/pivot/cache/noted`, deletable at any time. Version: the first line, which ends in the xxh3_128 of the
rest. Lines: `d <tree of notes>` is covered by what follows, `a <commit>` has a note and is not in the repository, and
`<tree> <commit>`. What a commit's tree is never changes, so only folders of notes that are new are looked at: with
3,000 notes, one folder and one commit after each new note, instead of 3,003 objects at each switch (measured).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import xxhash

from pivot.errors import GitError
from pivot.files import write_atomic
from pivot.git.odb.backend import TREE, Backend, TreeEntry
from pivot.git.odb.objects import LOST

_MAGIC = b"pivot noted 1 "
_ROW = re.compile(rb"(?:([da])|([0-9a-f]{40,64})) ([0-9a-f]{40,64})")

Listing = Callable[[str], Iterable[tuple[str, TreeEntry]]]
"""The names in a folder of notes, hex digits of commits, with their entries."""


class NotedTrees:
    """The index of one repository."""

    def __init__(self, backend: Backend, listing: Listing) -> None:
        self._backend = backend
        self._listing = listing
        self._path = Path(backend.git_dir) / "pivot/cache/noted"
        self._covered: set[str] = set()
        self._absent: set[str] = set()
        self._rows: dict[str, str] = {}  # commit -> tree
        self._loaded = False

    def commits(self, roots: Iterable[str], tree: str) -> list[str]:
        """The commits with a note in one of these trees of notes whose files are `tree`, sorted."""
        if not self._loaded:
            self._loaded = True
            self._load()
        before = (len(self._covered), len(self._absent), len(self._rows))
        covered: set[str] = set()
        for root in roots:
            self._cover(root, "", covered)
        is_new = not covered <= self._covered
        self._covered = covered | self._covered if not is_new else covered
        came = self._backend.has(self._absent) if self._absent else set()
        self._absent -= came
        self._learn(came)
        if is_new or before != (len(self._covered), len(self._absent), len(self._rows)):
            self._save()
        return sorted(commit for commit, its in self._rows.items() if its == tree)

    def _cover(self, folder: str, start: str, covered: set[str]) -> None:
        """Learn of every commit that is noted below a folder; one that is covered is not read."""
        covered.add(folder)
        if folder in self._covered:
            return
        commits = []
        for name, entry in self._listing(folder):
            if entry.mode == TREE and len(start) < 4:
                self._cover(entry.oid, start + name, covered)
            elif entry.mode != TREE:
                commits.append(start + name)
        self._learn(commit for commit in commits if commit not in self._rows and len(commit) in (40, 64))

    def _learn(self, commits: Iterable[str]) -> None:
        for commit in commits:
            try:
                self._rows[commit] = self._backend.read_commit(commit).tree
            except (*LOST, GitError):
                self._absent.add(commit)  # a note outlives its commit

    def _load(self) -> None:
        try:
            head, _, rest = self._path.read_bytes().partition(b"\n")
        except OSError:
            return
        if head != _MAGIC + xxhash.xxh3_128_hexdigest(rest).encode():
            return
        for kind, tree, oid in (found.groups() for found in map(_ROW.fullmatch, rest.split(b"\n")) if found):
            if tree:
                self._rows[oid.decode()] = tree.decode()
            else:
                (self._covered if kind == b"d" else self._absent).add(oid.decode())

    def _save(self) -> None:
        """A cache that cannot be written costs time, nothing else; nor is a folder made for it."""
        lines = [f"d {folder}\n" for folder in sorted(self._covered)]
        lines += [f"a {commit}\n" for commit in sorted(self._absent)]
        lines += [f"{tree} {commit}\n" for commit, tree in sorted(self._rows.items())]
        rest = "".join(lines).encode()
        if not self._path.parent.is_dir():
            return
        with suppress(OSError):
            write_atomic(self._path, _MAGIC + xxhash.xxh3_128_hexdigest(rest).encode() + b"\n" + rest)
