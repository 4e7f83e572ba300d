"""Edits of outputs on a switch of branches: they are kept with the commit that was left, and are back when it is.

What replaces an edit is an output of another commit, so the edit goes into the store and its log (`git pivot saved`);
what nothing replaces stays where it is. Either way the log says at which commit that was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pivot.errors import PivotError
from pivot.project import Project
from pivot.store.edit_keeper import Keeper
from pivot.store.odb.objects import Object
from pivot.store.worktree.saved_edits import Saved

WHY = "another commit was checked out"


class Edits:
    """The edits that a switch from the commit `left`, which had the outputs `before`, to `reached` meets."""

    def __init__(self, project: Project, ends: tuple[str, str], before: Mapping[str, str]) -> None:
        self._project = project
        self._left, self._reached = ends
        self.before = before
        self._saved = Saved(project.pivot_dir / "saved")
        back = self._saved.left_at(self._reached)
        self.back = {path: held for path, held in back.items() if project.store.has(held)}

    def is_edit(self, path: str) -> bool:
        """Whether what stands there was made by no stage, or is known for an edit already."""
        store, stats, place = self._project.store, self._project.stats, self._place(path)
        return bool(store.unknown(place, stats)) or self._is_known(path)

    def keep(self, path: str) -> Object | None:
        """Put an edit into the store and the log, before it is replaced or left to itself; what was kept."""
        if not self.is_edit(path):
            return None
        keeper = Keeper(self._project.root, self._project.store, self._project.stats, self._saved)
        return keeper.put_away(self._place(path), WHY, left=self._left)

    def leave(self, paths: Iterable[str]) -> None:
        """Keep the edits of outputs that nothing replaces now; where that fails, they just stay."""
        for path in paths:
            with suppress(PivotError, OSError):
                self.keep(path)

    def stays(self, path: str) -> bool:
        """Whether an edit that is to come back stands there still, as the commit that was left has no such output."""
        return path not in self.before and os.path.lexists(self._place(path))

    def returned(self, path: str) -> None:
        self._saved.returned(path, self._reached)

    def _is_known(self, path: str) -> bool:
        known = {entry.object.id for entry in self._saved.entries() if entry.path == path}
        known.discard(self.before.get(path, ""))
        place = self._place(path)
        return (
            bool(known)
            and os.path.lexists(place)
            and self._project.store.identify(place, self._project.stats).id in known
        )

    def _place(self, path: str) -> Path:
        return self._project.root / path
