"""How two run caches unite where paths alone do not say it; see `pivot.state.run_cache` for the layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pivot.errors import RecordError, UnknownVersion, UnreadableObject
from pivot.git.odb.backend import TREE, TreeEntry
from pivot.git.odb.objects import LOST
from pivot.git.odb.trees import Content, Sides, SmallerBlob, Trees, add_files
from pivot.git.safe_path import is_safe_path
from pivot.state.record_closure import BESIDE, Name, changed, folder_of, gone, name_of, needs
from pivot.state.records import MOST_INFO, Info, check_record, parse_info, parse_record

MOST_INFOS = 5
_FOLDER = re.compile(r"runs(/[^/]+){0,2}(/info)?|code(/[^/]+)?|reach(/[^/]+)?")

# Those of some records that are in use here.
Alive = Callable[[set[Name]], set[Name]]


class RunCacheMerge(SmallerBlob):
    """Reach lists become one set, of infos the newest five stay, a record's folder is whole, else the smaller blob.

    Of two blobs at a record's path one at least is not that record: nobody's garbage takes the place of a good one.
    """

    def __init__(self, trees: Trees, alive: Alive | None = None) -> None:
        self._trees = trees
        self._alive = alive

    def blob(self, path: str, ours: TreeEntry, theirs: TreeEntry) -> TreeEntry | bytes:
        if path.startswith("runs/") and path.endswith("/record") and path.count("/") == 3:
            return min(ours, theirs, key=lambda entry: (self._doubt(path, entry.oid), entry.oid, entry.mode))
        if not path.startswith("reach/"):
            return super().blob(path, ours, theirs)
        sides = [entry for entry in (ours, theirs) if self._is_readable(entry.oid)]
        if len(sides) < 2:
            return sides[0] if sides else super().blob(path, ours, theirs)
        return format_lines(read_lines(self._trees.blob(ours.oid)) | read_lines(self._trees.blob(theirs.oid)))

    def _is_readable(self, oid: str) -> bool:
        try:
            self._trees.blob(oid)
        except UnreadableObject:
            return False
        return True

    def folder(self, path: str, entries: dict[str, TreeEntry]) -> dict[str, TreeEntry]:
        if len(entries) <= MOST_INFOS or not _is_info_folder(path):
            return entries
        kept = newest_infos(self._trees, (entry.oid for entry in entries.values()))
        return {name: entry for name, entry in entries.items() if entry.oid in kept}

    def _doubt(self, path: str, oid: str) -> int:
        """0 for the record of this path, 1 for one of a newer version, 2 for anything else."""
        _, start, name, _ = path.split("/", 3)
        rest, _, result = name.partition(".")
        try:
            check_record(parse_record(self._trees.blob(oid)), start + rest, result)
        except UnknownVersion:
            return 1
        except (RecordError, *LOST):
            return 2
        return 0

    def descends(self, path: str) -> bool:
        return _FOLDER.fullmatch(path) is not None

    def is_whole(self, path: str) -> bool:
        return path.startswith("runs/") and path.count("/") == 2

    def complete(self, sides: Sides, united: str | None) -> str | None:
        """A source that one side removed as dead, and that a record needs which the other side has new."""
        ours, theirs, base = sides
        removed = {path for top in BESIDE for path in gone(self._trees, top, base, united)}
        files: dict[str, Content] = {}
        for side in (ours, theirs) if removed else ():
            new = changed(self._trees, "runs", side, base)
            files |= self._absent(side, united, self._needs(side, new, removed))
        return add_files(self._trees, united, files) if files else united

    def adopt(self, ours: str, united: str | None) -> tuple[str | None, bool]:
        """Records that others removed stay where they are in use here."""
        removed = {name_of(folder) for folder in gone(self._trees, "runs", ours, united)}
        kept = {folder_of(name) for name in self._alive(removed)} if removed and self._alive else set()
        if not kept:
            return united, bool(removed)
        wanted = self._needs(ours, kept, {path for top in BESIDE for path in gone(self._trees, top, ours, united)})
        for folder in kept:
            wanted.update(self._files(ours, folder))
        files = self._absent(ours, united, wanted)
        return add_files(self._trees, united, files), len(kept) < len(removed)

    def _needs(self, tree: str | None, folders: Iterable[str], otherwise: set[str]) -> set[str]:
        """As `needs`, or all of `otherwise` where a newer Pivot wrote one of the records."""
        try:
            return needs(self._trees, tree, folders)
        except UnknownVersion:
            return otherwise

    def _absent(self, side: str | None, united: str | None, paths: Iterable[str]) -> dict[str, Content]:
        """Those of these files that a side has and the union has not."""
        found = {path: self._trees.at(side, path) for path in paths if self._trees.at(united, path) is None}
        return {path: entry.oid for path, entry in found.items() if entry and entry.mode != TREE}

    def _files(self, tree: str, folder: str) -> Iterator[str]:
        """The paths of all files below a record's folder."""
        for name, entry in self._trees.folder(tree, folder).items():
            below = f"{folder}/{name}"
            yield from self._files(tree, below) if entry.mode == TREE and name == "info" else [below]


def newest_infos(trees: Trees, blobs: Iterable[str]) -> dict[str, Info | None]:
    """The newest five by `finished`, ties by blob id, the newest first; a damaged one is older than all."""
    read = {oid: read_info(trees, oid) for oid in set(blobs)}
    newest = sorted(read, key=lambda oid: ((info.finished if (info := read[oid]) else ""), oid), reverse=True)
    return {oid: read[oid] for oid in newest[:MOST_INFOS]}


def read_info(trees: Trees, oid: str) -> Info | None:
    """An info blob, or None for one that nobody can read."""
    try:
        return parse_info(trees.blob(oid, MOST_INFO))
    except (RecordError, *LOST):
        return None


def read_lines(data: bytes) -> set[str]:
    """A reach list; a line that is not a path in the project is none."""
    return {line for line in data.decode("utf-8", "surrogateescape").split("\n") if line and is_safe_path(line)}


def format_lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in sorted(set(lines))).encode("utf-8", "surrogateescape")


def _is_info_folder(path: str) -> bool:
    return path.startswith("runs/") and path.endswith("/info") and path.count("/") == 3
