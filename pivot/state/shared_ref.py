"""A shared ref whose commits each hold the whole state: one commit on top, and the union with what others wrote.

History is linear: who comes late commits the union on the other's tip. A ref moves only by compare-and-swap, and a
writer who finds it moved, or locked, starts again from what stands there now.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from pivot.errors import GitError, MissingObject, RefMoved, UnreadableObject
from pivot.git.odb.backend import TREE, Author, Backend
from pivot.git.odb.trees import Content, MergePolicy, Trees, add_files, union
from pivot.state import rewrite_marker

# Change = what to make of a tree (None: there is none yet); the same tree means that nothing is to be done.
Change = Callable[[str | None], str | None]

T = TypeVar("T")

_PATIENCE = 10.0  # seconds: many times what sixteen writers at once need
_LONGEST_PAUSE = 0.1
_REPLAYED = 200  # messages of commits that a union replaces


class SharedRef:
    """One shared ref, such as `refs/pivot/runs`, and its tracking refs `refs/pivot-remotes/*/<tracking>`."""

    def __init__(self, backend: Backend, ref: str, kind: tuple[str, re.Pattern[str]], trees: Trees) -> None:
        """`kind`: the last part of the tracking refs' names, and what names at the top of a tree look like."""
        self._backend = backend
        self._ref = ref
        self._tracking, self._top = kind
        self._trees = trees
        self.refused: list[str] = []  # a sentence for each fetched tip that is nothing of ours

    def tip(self) -> str | None:
        return self._backend.ref_get(self._ref)

    def tracked(self) -> dict[str, str]:
        """The tips that were fetched, by remote."""
        if not self._tracking:
            return {}
        found = self._backend.refs("refs/pivot-remotes/")
        suffix = f"/{self._tracking}"
        return {
            ref.removeprefix("refs/pivot-remotes/").removesuffix(suffix): tip
            for ref, tip in found.items()
            if ref.endswith(suffix)
        }

    def trees(self) -> list[str]:
        """The trees of the local tip and of all fetched tips, each once."""
        tip = self.tip()
        own = [self._own_tree(tip)] if tip else []
        return list(dict.fromkeys([*own, *(tree for tree in map(self._fetched_tree, self.tracked().items()) if tree)]))

    def commit(self, change: Change, message: str, author: Author) -> str | None:
        """Put one commit on top, and give the tip; None where there is nothing at all.

        Raises:
            RefMoved: others held or moved the ref for ten seconds on end.
            GitError: the ref cannot be written, such as in a read-only `.git`.
        """

        def attempt() -> str | None:
            tip = self.tip()
            old = self._own_tree(tip) if tip else None
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

    def absorb_tracked(self, policy: MergePolicy, author: Author) -> None:
        """Take in what fetched tips have and the local one lacks."""
        for tip in sorted({tip for name, tip in self.tracked().items() if self._fetched_tree((name, tip))}):
            # In a partial clone a plain `git fetch` leaves objects out; such a tip waits until they have come.
            with contextlib.suppress(MissingObject):
                self.absorb(tip, policy, author, always=False)

    def absorb(self, theirs: str, policy: MergePolicy, author: Author, *, always: bool = True) -> str:
        """Make the local ref a descendant of `theirs` that holds the union of both; gives the new tip.

        With `always=False` nothing is done where `theirs` holds nothing new, or where something would be removed here.
        """

        def attempt() -> str:
            ours = self.tip()
            self._check_theirs(theirs)  # not here: nothing may lead to it yet
            if ours is not None:
                self._own_tree(ours)
            if ours is None:
                self._backend.ref_cas(self._ref, theirs, ours, "fetched")
                return theirs
            base, onto = self._merge_base(ours, theirs)
            if base == theirs:
                return ours
            tree, removes = self._merge((ours, theirs, base), policy)
            if (removes and not always) or (tree == self._tree(ours) and (onto == ours or not always)):
                return ours
            came = theirs if onto == ours else ours
            new = self._append(onto, tree, self._replayed(came, base), author)
            self._backend.ref_cas(self._ref, new, ours, "fetched" if new == theirs else "union with what was fetched")
            return new

        return _persist(attempt)

    def shortened(self, message: str, author: Author) -> str | None:
        """A commit without parents that stands for the whole history, to which nothing leads yet; None for none."""
        tip = self.tip()
        replaced = [*self._chain(tip), *self._epoch(tip)] if tip else []
        epoch: dict[str, Content] = {rewrite_marker.FILE: rewrite_marker.format_epoch(replaced)}
        tree = add_files(self._trees, self._tree(tip), epoch) if tip else None
        self._trees.save()
        return self._backend.write_commit(tree, [], message, author) if tree else None

    def replaces(self, theirs: str) -> bool:
        """Whether a tip belongs to a history that was shortened here, so that no commit leads from it to ours."""
        ours = self.tip()
        return ours is not None and self._merge_base(ours, theirs)[1] == ours

    def _merge_base(self, ours: str, theirs: str) -> tuple[str | None, str]:
        """Where two histories part, and the one on which a union goes: theirs, unless ours has replaced it."""
        if base := self._backend.merge_base(ours, theirs):
            return base, theirs
        if base := self._replaced(self._epoch(theirs), ours):
            return base, theirs
        base = self._replaced(self._epoch(ours), theirs)
        return base, ours if base else theirs

    def _replaced(self, epoch: list[str], tip: str) -> str | None:
        """The newest commit of a history that an epoch stands for."""
        known = set(epoch)
        return (
            next((commit for commit in self._chain(tip) if rewrite_marker.shorten(commit) in known), None)
            if known
            else None
        )

    def _epoch(self, tip: str) -> list[str]:
        entry = self._trees.at(self._tree(tip), rewrite_marker.FILE)
        return rewrite_marker.parse_epoch(self._trees.blob(entry.oid)) if entry and entry.mode != TREE else []

    def _chain(self, tip: str) -> Iterator[str]:
        """A history, the newest commit first; in a shallow clone as far as it is here."""
        commit: str | None = tip
        while commit:
            yield commit
            try:
                parents = self._backend.read_commit(commit).parents
            except (GitError, MissingObject):
                return
            commit = parents[0] if parents else None

    def _merge(self, tips: tuple[str, str, str | None], policy: MergePolicy) -> tuple[str | None, bool]:
        """The tree of both tips, and whether it lacks something that the local one has."""
        ours, theirs, base = tips
        old = self._tree(base) if base else None
        here, there = self._tree(ours), self._tree(theirs)
        tree, removes = policy.adopt(here, there if base == ours else union(self._trees, here, there, old, policy))
        return self._whole(tree, here), removes

    def _append(self, onto: str, tree: str | None, replayed: list[str], author: Author) -> str:
        if tree is None or tree == self._tree(onto):
            return onto
        self._trees.save()
        message = "\n".join([f"Union onto {onto[:12]}: {len(replayed)} commits", "", *replayed])
        return self._backend.write_commit(tree, [onto], message, author)

    def _whole(self, tree: str | None, old: str | None) -> str | None:
        """A tree that has lost its last file is the empty tree, and not nothing to do."""
        return self._backend.write_tree([]) if tree is None and old else tree

    def _replayed(self, tip: str, base: str | None) -> list[str]:
        """The messages of the commits that a union replaces, the newest first, so that `git log` still tells them."""
        own = itertools.takewhile(lambda commit: commit != base, self._chain(tip))
        replayed: list[str] = []
        with contextlib.suppress(GitError, MissingObject):  # a shallow clone ends there
            replayed.extend(
                self._backend.read_commit(commit).message.strip() for commit in itertools.islice(own, _REPLAYED)
            )
        return replayed

    def _tree(self, commit: str) -> str:
        return self._backend.read_commit(commit).tree

    def _known_tree(self, tip: str) -> str:
        """The tree of a tip; `UnreadableObject` where the tip is no commit of ours."""
        tree = self._tree(tip)
        try:
            names = self._trees.entries(tree)
        except MissingObject:
            return tree  # a filtered fetch left it out; whoever looks into it says so
        if names and not any(map(self._top.fullmatch, names)):
            raise UnreadableObject(f"the commit {tip[:12]} has other files than Pivot writes")
        return tree

    def _own_tree(self, tip: str) -> str:
        try:
            return self._known_tree(tip)
        except (UnreadableObject, MissingObject) as error:
            hint = (
                f"Run `git update-ref -d {self._ref}` to remove the ref, then `git pivot fetch` to download what a "
                f"remote has, and `git pivot repro`."
            )
            raise type(error)(f"{self._ref} cannot be used: {error.what}", where=error.where, hint=hint) from error

    def _fetched_tree(self, tracked: tuple[str, str]) -> str | None:
        """The tree of a fetched tip; what somebody else put there must not stop a command here."""
        remote, tip = tracked
        try:
            return self._known_tree(tip)
        except UnreadableObject as error:
            ref = f"refs/pivot-remotes/{remote}/{self._tracking}"
            sentence = f"{ref} is not used: {error.what}; `git log {ref}` shows who wrote it"
            if sentence not in self.refused:
                self.refused.append(sentence)
            return None

    def _check_theirs(self, tip: str) -> None:
        try:
            self._trees.entries(self._known_tree(tip))
        except UnreadableObject as error:
            hint = f"Ask who pushed {self._ref} to the remote to put the ref back to an earlier commit of it."
            raise UnreadableObject(f"what was fetched for {self._ref} is not used: {error.what}", hint=hint) from error


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
