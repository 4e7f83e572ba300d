"""How two run caches unite where paths alone do not say it; see `pivot.git.runs` for the layout."""

from __future__ import annotations

from collections.abc import Iterable

from pivot.errors import MissingObject, RecordError, UnknownVersion
from pivot.git.backend import TreeEntry
from pivot.git.records import Info, check_record, parse_info, parse_record
from pivot.git.trees import SmallerBlob, Trees

MOST_INFOS = 5


class RunsSettlement(SmallerBlob):
    """Reach lists become one set, of infos the newest five stay, a record's folder is whole, else the smaller blob.

    Of two blobs at a record's path one at least is not that record: nobody's garbage takes the place of a good one.
    """

    def __init__(self, trees: Trees) -> None:
        self._trees = trees

    def blob(self, path: str, ours: TreeEntry, theirs: TreeEntry) -> TreeEntry | bytes:
        if path.startswith("runs/") and path.endswith("/record") and path.count("/") == 3:
            return min(ours, theirs, key=lambda entry: (self._doubt(path, entry.oid), entry.oid, entry.mode))
        if not path.startswith("reach/"):
            return super().blob(path, ours, theirs)
        return format_lines(read_lines(self._trees.blob(ours.oid)) | read_lines(self._trees.blob(theirs.oid)))

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
        except (RecordError, MissingObject):
            return 2
        return 0

    def is_whole(self, path: str) -> bool:
        return path.startswith("runs/") and path.count("/") == 2


def newest_infos(trees: Trees, blobs: Iterable[str]) -> dict[str, Info | None]:
    """The newest five by `finished`, ties by blob id, the newest first; a damaged one is older than all."""
    read = {oid: read_info(trees, oid) for oid in set(blobs)}
    newest = sorted(read, key=lambda oid: ((info.finished if (info := read[oid]) else ""), oid), reverse=True)
    return {oid: read[oid] for oid in newest[:MOST_INFOS]}


def read_info(trees: Trees, oid: str) -> Info | None:
    """An info blob, or None for one that nobody can read."""
    try:
        return parse_info(trees.blob(oid))
    except (RecordError, MissingObject):
        return None


def read_lines(data: bytes) -> set[str]:
    return {line for line in data.decode("utf-8", "surrogateescape").split("\n") if line}


def format_lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in sorted(set(lines))).encode("utf-8", "surrogateescape")


def _is_info_folder(path: str) -> bool:
    return path.startswith("runs/") and path.endswith("/info") and path.count("/") == 3
