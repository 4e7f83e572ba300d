"""A shared ref whose commits each hold the whole state: one commit on top, and the union with what others wrote.

History is linear: who comes late commits the union on the other's tip. A ref moves only by compare-and-swap, and a
writer who finds it moved, or locked, starts again from what stands there now.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from typing import TypeVar

from pivot.errors import GitError, MissingObject, RefMoved
from pivot.git.backend import Author, Backend
from pivot.git.trees import Settlement, Trees, union

# Change = what to make of a tree (None: there is none yet); the same tree means that nothing is to be done.
Change = Callable[[str | None], str | None]

T = TypeVar("T")

_PATIENCE = 10.0  # seconds: many times what sixteen writers at once need
_LONGEST_PAUSE = 0.1
_CARRIED = 200  # messages of commits that a union replaces


class History:
    """One shared ref, such as `refs/pivot/runs`, and its tracking refs `refs/pivot-remotes/*/<tracking>`."""

    def __init__(self, backend: Backend, ref: str, tracking: str, trees: Trees) -> None:
        self._backend = backend
        self._ref = ref
        self._tracking = tracking
        self._trees = trees

    def tip(self) -> str | None:
        return self._backend.ref_get(self._ref)

    def tracked(self) -> dict[str, str]:
        """The tips that were fetched, by remote."""
        found = self._backend.refs("refs/pivot-remotes/")
        suffix = f"/{self._tracking}"
        return {
            ref.removeprefix("refs/pivot-remotes/").removesuffix(suffix): tip
            for ref, tip in found.items()
            if ref.endswith(suffix)
        }

    def trees(self) -> list[str]:
        """The trees of the local tip and of all fetched tips, each once."""
        tips = [self.tip(), *self.tracked().values()]
        return list(dict.fromkeys(self._tree(tip) for tip in tips if tip))

    def commit(self, change: Change, message: str, author: Author) -> str | None:
        """Put one commit on top, and give the tip; None where there is nothing at all.

        Raises:
            RefMoved: others held or moved the ref for ten seconds on end.
            GitError: the ref cannot be written, such as in a read-only `.git`.
        """

        def attempt() -> str | None:
            tip = self.tip()
            old = self._tree(tip) if tip else None
            try:
                new = self._whole(change(old), old)
            except MissingObject as error:
                raise GitError(f"a part of {self._ref} is not here: {error.what}", hint="git pivot fetch") from error
            if new is None or new == old:
                return tip
            self._trees.save()
            commit = self._backend.write_commit(new, [tip] if tip else [], message, author)
            self._backend.ref_cas(self._ref, commit, tip, _subject(message))
            return commit

        return _persist(attempt)

    def absorb_tracked(self, settle: Settlement, author: Author) -> None:
        """Take in what fetched tips have and the local one lacks."""
        for tip in sorted(set(self.tracked().values())):
            # In a partial clone a plain `git fetch` leaves objects out; such a tip waits until they have come.
            with contextlib.suppress(MissingObject):
                self.absorb(tip, settle, author, always=False)

    def absorb(self, theirs: str, settle: Settlement, author: Author, *, always: bool = True) -> str:
        """Make the local ref a descendant of `theirs` that holds the union of both; gives the new tip.

        With `always=False` nothing is done where `theirs` holds nothing new.
        """

        def attempt() -> str:
            ours = self.tip()
            self._trees.entries(self._tree(theirs))  # not here: nothing may lead to it yet
            base = self._backend.merge_base(ours, theirs) if ours else None
            if ours is not None and base == theirs:
                return ours
            if ours is None or base == ours:
                self._backend.ref_cas(self._ref, theirs, ours, "fetched")
                return theirs
            old = self._tree(base) if base else None
            tree = union(self._trees, self._tree(ours), self._tree(theirs), old, settle)
            tree = self._whole(tree, self._tree(ours))
            if not always and tree == self._tree(ours):
                return ours
            new = self._on_top(theirs, tree, self._carried(ours, base), author)
            self._backend.ref_cas(self._ref, new, ours, "union with what was fetched")
            return new

        return _persist(attempt)

    def _on_top(self, theirs: str, tree: str | None, carried: list[str], author: Author) -> str:
        if tree is None or tree == self._tree(theirs):
            return theirs
        self._trees.save()
        message = "\n".join([f"Union with {theirs[:12]}: {len(carried)} commits made here", "", *carried])
        return self._backend.write_commit(tree, [theirs], message, author)

    def _whole(self, tree: str | None, old: str | None) -> str | None:
        """A tree that has lost its last file is the empty tree, and not nothing to do."""
        return self._backend.write_tree([]) if tree is None and old else tree

    def _carried(self, tip: str, base: str | None) -> list[str]:
        """The messages of the commits that a union replaces, the newest first, so that `git log` still tells them."""
        carried: list[str] = []
        commit: str | None = tip
        while commit and commit != base and len(carried) < _CARRIED:
            try:
                found = self._backend.read_commit(commit)
            except (GitError, MissingObject):
                break  # a shallow clone ends here
            carried.append(found.message.strip())
            commit = found.parents[0] if found.parents else None
        return carried

    def _tree(self, commit: str) -> str:
        return self._backend.read_commit(commit).tree


def _persist(attempt: Callable[[], T]) -> T:
    """Try until the ref did not move in between; pauses are random, so that writers do not march in step."""
    deadline, pause = time.monotonic() + _PATIENCE, 0.002
    while True:
        try:
            return attempt()
        except RefMoved as error:
            if time.monotonic() > deadline:
                hint = "If no other command is running, remove the .lock file that a crashed one left behind."
                raise RefMoved(error.what, where=error.where, hint=hint) from error
        time.sleep(random.uniform(0, pause))
        pause = min(pause * 2, _LONGEST_PAUSE)


def _subject(message: str) -> str:
    return message.strip().split("\n", 1)[0]
