"""Object ids of what stands in the work tree, each path asked once a plan."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pivot.git.plumbing.absent_files import why_absent
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.plan.remote_availability import RemoteAvailability
from pivot.store.odb.objects import EMPTY_TREE, Object
from pivot.store.odb.stat_cache import StatCache
from pivot.store.store import Store


class Inputs:
    """Reads paths below `root` through the stat cache; never writes anything but that cache."""

    def __init__(
        self,
        root: Path,
        store: Store,
        stats: StatCache,
        elsewhere: RemoteAvailability | None = None,
        location: RepositoryLocation | None = None,
    ) -> None:
        self.elsewhere = elsewhere or RemoteAvailability()
        self._location = location
        self._root = root
        self._store = store
        self._stats = stats
        self._objects: dict[str, Object | None] = {}
        self._inside: dict[str, set[str]] = {}
        self._stored: set[tuple[str, int]] = set()

    def at(self, path: str) -> Object | None:
        """What stands at a repository-relative path (a symlink counts as what it points to), or None."""
        if path not in self._objects:
            place = self._root / path
            self._objects[path] = self._store.identify(place, self._stats, follow=True) if place.exists() else None
            for above in _parents(path):
                self._inside.setdefault(above, set()).add(path)
        return self._objects[path]

    def withheld(self, path: str, found: Object | None) -> str:
        """Why Git, which has it, has not put the file or the content of a folder here, and what does; else empty.

        Asked of Git only if nothing is there: a submodule that is not initialised is an empty folder.
        """
        if self._location is None or (found and found.id != EMPTY_TREE):
            return ""
        return why_absent(self._location, path)

    def output_at(self, path: str) -> Object | None:
        """What is at an output's path: a symlink counts as itself, since a stage may write one."""
        place = self._root / path
        return self._store.identify(place, self._stats) if place.is_symlink() else self.at(path)

    def find(self, tree: str, inside: str) -> Object | None:
        """What a stored directory holds at a path inside it, or None."""
        return self._store.find(tree, inside)

    def stored(self, wanted: Object) -> bool:
        """Whether the store has every byte of an object."""
        key = (wanted.id, wanted.mode)
        if key not in self._stored and self._store.has(wanted):
            self._stored.add(key)
        return key in self._stored

    def forget(self, paths: Iterable[str]) -> None:
        """Ask again for these paths, what lies in them and what holds them."""
        for path in paths:
            for known in (path, *_parents(path), *self._inside.pop(path, ())):
                self._objects.pop(known, None)

    def forget_all(self) -> None:
        """Ask again for everything, also for what the store has: some of it may have turned out damaged."""
        self._objects.clear()
        self._inside.clear()
        self._stored.clear()


def _parents(path: str) -> Iterable[str]:
    while path := path.rpartition("/")[0]:
        yield path
