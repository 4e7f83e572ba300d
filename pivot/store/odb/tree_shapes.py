"""How deep directories of a store are and how much is in them, each read once: trees of anybody may be made to hurt.

Eight levels of ten equal subtrees are nine objects and 100 million places; 3,000 folders in each other end recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from pivot.errors import DamagedObject
from pivot.git.odb.backend import TREE, TreeEntry
from pivot.store.odb.objects import EMPTY_TREE, MOST_DEPTH, MOST_FILES


class Shape(Struct, frozen=True):
    """Levels of a directory (1 without folders), files at every place, and their bytes if somebody measures them."""

    depth: int = 1
    files: int = 0
    size: int = 0


class TreeShapes:
    """The shapes of directories by id; `read` gives the entries of one, `size` the bytes of a file."""

    def __init__(self, read: Callable[[str], Iterable[TreeEntry]], size: Callable[[str], int] = lambda _oid: 0) -> None:
        self._read = read
        self._size = size
        self._known: dict[str, Shape] = {EMPTY_TREE: Shape()}

    def check(self, oid: str) -> Shape:
        """The shape of a directory with all that is below it.

        Raises:
            DamagedObject: it is deeper, or has more files, than anything that is ever stored.
            MissingObject: something of it is not here.
        """
        open_now: dict[str, list[TreeEntry]] = {}
        waiting = [oid]
        while waiting:
            tree = waiting[-1]
            if tree in self._known:
                waiting.pop()
            elif tree in open_now:
                self._known[tree] = self._shape(tree, open_now.pop(tree))
                waiting.pop()
            else:
                entries = list(self._read(tree))
                open_now[tree] = entries
                below = {entry.oid for entry in entries if entry.mode == TREE}
                waiting += [one for one in below if one not in self._known]
            if len(open_now) > MOST_DEPTH:
                raise _too_deep(oid)
        return self._known[oid]

    def _shape(self, oid: str, entries: list[TreeEntry]) -> Shape:
        below = [self._known[entry.oid] for entry in entries if entry.mode == TREE]
        files = [entry.oid for entry in entries if entry.mode != TREE]
        shape = Shape(
            1 + max((one.depth for one in below), default=0),
            len(files) + sum(one.files for one in below),
            sum(map(self._size, files)) + sum(one.size for one in below),
        )
        if shape.depth > MOST_DEPTH:
            raise _too_deep(oid)
        if shape.files > MOST_FILES:
            raise DamagedObject(f"directory {oid} has more than {MOST_FILES:,} files, which no output has")
        return shape


def _too_deep(oid: str) -> DamagedObject:
    return DamagedObject(f"directory {oid} has more than {MOST_DEPTH} levels, which no output has")
