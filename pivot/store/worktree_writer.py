"""The one way in which outputs get into the work tree: `repro`, `checkout`, `pull` and the hooks all write here.

At the moment of each write these are checked, in this order: the path stays below the root and out of `.git`; it is an
output, by the code or by what this clone knows; no folder above is a symlink or another repository; Git does not track
it; the store has every byte; edits are saved. Then the bytes are verified as they are written, and renamed into place
through folders that were opened without following a link.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from pivot.errors import MissingObject, StoreError, UnsafePath
from pivot.git.odb.backend import EXECUTABLE, SYMLINK, TREE, TreeEntry
from pivot.git.plumbing.index import TrackedPaths
from pivot.git.safe_path import is_safe_path
from pivot.store.odb.objects import Object
from pivot.store.odb.stat_cache import StatCache
from pivot.store.store import Store
from pivot.store.worktree.code_names import may_be_code, may_hold_code
from pivot.store.worktree.folders import open_below, remove_in
from pivot.store.worktree.known_outputs import KnownOutputs, read_listed

Reason = Literal["unsafe", "unknown", "in the way", "symlink", "repository", "tracked"]


class Target(Struct, frozen=True):
    """What belongs at a repository-relative path.

    `by_code`: the user's code, as it was imported now, declares it; otherwise only notes and records name it. `in_git`:
    it is declared with `cache=False`, so that Git may track it.
    """

    path: str
    object: Object
    by_code: bool = False
    in_git: bool = False


class Refusal(Struct, frozen=True):
    """Why a path is not written, as a sentence and a hint."""

    reason: Reason
    text: str
    hint: str | None = None

    def error(self) -> UnsafePath:
        return UnsafePath(self.text, hint=self.hint)


class WorktreeWriter:
    """Writes outputs into one work tree and removes them."""

    def __init__(self, root: Path, pivot_dir: Path, store: Store, known: KnownOutputs, tracked: TrackedPaths) -> None:
        self.known = known
        self.tracked = tracked
        self._root = root
        self._pivot_dir = pivot_dir
        self._store = store

    def refusal(self, target: Target) -> Refusal | None:
        """Why this may not be written, by all that can be told without writing."""
        path = target.path
        if refused := _leads_out(path):
            return refused
        return (None if target.by_code else self._not_known(target)) or self._folder_above(path) or self._in_git(target)

    def write(self, target: Target, stats: StatCache, keep: Callable[[str], Object | None]) -> Object | None:
        """Make a path equal to its object; `keep` saves what is there before, and its answer is returned.

        Raises:
            UnsafePath: it may not be written; nothing was changed.
            MissingObject: the store lacks some of it; nothing was changed.
            DamagedObject: some of it turned out to be other bytes.
        """
        if refused := self.refusal(target):
            raise refused.error()
        if not self._store.has(target.object):
            raise MissingObject(
                f"the store does not have {target.object.id}, which belongs at {target.path}", hint="git pivot pull"
            )
        kept = keep(target.path)
        scratch = self._pivot_dir / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        place = self._root / target.path
        self._store.restore(target.object, place, stats, root=self._root, scratch=[str(scratch)])
        return kept

    def remove(self, path: str, *, in_git: bool = False) -> None:
        """Remove an output, whose bytes the caller knows to be stored.

        Raises:
            UnsafePath: it leads elsewhere, a symlink or a repository is above it, or Git tracks it.
        """
        refused = _leads_out(path) or self._folder_above(path)
        if not refused and not in_git and path in self.tracked.of([path]):
            refused = Refusal("tracked", f"Git tracks {path}")
        if refused:
            raise refused.error()
        folder, _, name = path.rpartition("/")
        try:
            with open_below(str(self._root), folder) as opened:
                remove_in(opened, name)
        except FileNotFoundError:
            return

    def symlink_above(self, path: str) -> str:
        """The folder on the way to a path that is a symlink, or an empty string."""
        parts = path.split("/")[:-1]
        folders = ["/".join(parts[: at + 1]) for at in range(len(parts))]
        return next((folder for folder in folders if (self._root / folder).is_symlink()), "")

    def hideable(self, paths: Iterable[str]) -> set[str]:
        """Those of these paths that Git may be told to ignore though only notes name them."""
        return {path for path in paths if self.known.names(path) or not self._is_named_like_code(path)}

    def _is_named_like_code(self, path: str) -> bool:
        """By its name alone: what is in a directory was looked at when it was written."""
        place = self._root / path
        return may_hold_code(path) if place.is_dir() and not place.is_symlink() else may_be_code(path)

    def _not_known(self, target: Target) -> Refusal | None:
        """A path that only notes and records name: somebody may have planted it."""
        path, held = target.path, target.object
        if self.known.has(path, held.mode):
            return None
        hint = "Run `git pivot status` on the commit that declares it, then run the command again."
        if self._may_be_code(path, held):
            text = f"{path} may be code or configuration, and no analysis in this clone knows it as an output"
            return Refusal("unknown", text, hint)
        # What Pivot put there itself it may replace; anything else is somebody's own file.
        if os.path.lexists(self._root / path) and path not in read_listed(self._pivot_dir):
            return Refusal("in the way", f"{path} is there, and no analysis in this clone knows it as an output", hint)
        return None

    def _may_be_code(self, path: str, held: Object) -> bool:
        """Whether a file, or anything in a directory, may be code; equal trees are read once."""
        waiting, seen = [(path, held.id, held.mode)], set[str]()
        if held.mode == TREE and may_hold_code(path):
            return True
        while waiting:
            place, oid, mode = waiting.pop()
            if mode != TREE:
                if mode in (SYMLINK, EXECUTABLE) or may_be_code(place):
                    return True
            elif may_hold_code(place.rpartition("/")[2]):
                return True
            elif oid not in seen:
                seen.add(oid)
                # The folders above have been looked at, so that a name alone decides.
                waiting += [(entry.name, entry.oid, entry.mode) for entry in self._entries(oid)]
        return False

    def _entries(self, tree: str) -> list[TreeEntry]:
        try:
            return self._store.entries(tree)
        except StoreError:
            return []  # not here: the write itself says so

    def _folder_above(self, path: str) -> Refusal | None:
        if through := self.symlink_above(path):
            hint = (
                f"Remove the symlink {through}, or restore the file elsewhere with `git pivot get REV {path} -o FILE`."
            )
            return Refusal("symlink", f"{path} would be written through the symlink {through}", hint)
        folder = path.rpartition("/")[0]
        while folder:
            if os.path.lexists(self._root / folder / ".git"):
                return Refusal("repository", f"{path} is in {folder}, which is a repository of its own")
            folder = folder.rpartition("/")[0]
        return None

    def _in_git(self, target: Target) -> Refusal | None:
        if (target.by_code and target.in_git) or target.path not in self.tracked.of([target.path]):
            return None
        return Refusal("tracked", f"Git tracks {target.path}")


def _leads_out(path: str) -> Refusal | None:
    if is_safe_path(path):
        return None
    return Refusal("unsafe", f"{path!r} leads out of the work tree or into Git's own folder")
