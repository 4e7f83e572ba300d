"""Trees by path: files added to a tree, and two trees united, with only the touched folders read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from pivot.git.odb.backend import BLOB, TREE, Backend, TreeEntry
from pivot.git.odb.objects import LONG_NAME, edit_tree, entries_from, format_tree, is_component, object_id, parse_tree

# Trees of a union: ours, theirs, and what both come from; None for no tree.
Sides = tuple[str | None, str | None, str | None]

# A file: bytes to be written, the id of a blob that is here, or None to remove what stands at the path.
Content = bytes | str | None

MOST_BLOB = 16 << 20  # bytes of any blob of a shared ref
_MOST_KEPT = 4096  # trees: of each kind of folder in a run cache there are 256


class MergePolicy(Protocol):
    """How a union settles what the paths alone do not: the format of the tree, not the code that merges, decides."""

    def blob(self, path: str, ours: TreeEntry, theirs: TreeEntry) -> TreeEntry | bytes:
        """One path, two different blobs: the entry to keep, or new bytes. Must not depend on the order of the two."""
        ...

    def folder(self, path: str, entries: dict[str, TreeEntry]) -> dict[str, TreeEntry]:
        """What of a united folder is kept."""
        ...

    def prepare(self, tree: str) -> str:
        """A whole tree in the layout that the union expects."""
        ...

    def descends(self, path: str) -> bool:
        """Whether a folder is one of the format, so that what is in it is united; else it counts as a file does."""
        ...

    def is_whole(self, path: str) -> bool:
        """Whether a folder lives and dies as one: removed on one side and changed on the other, all of it stays."""
        ...

    def complete(self, sides: Sides, united: str | None) -> str | None:
        """What was removed on one side, and what is new on the other side needs, put back into the union."""
        ...

    def adopt(self, ours: str, united: str | None) -> tuple[str | None, bool]:
        """What they removed and is in use here put back into the union; and whether anything is removed all the same.

        `ours` is the tree as it stands here before.
        """
        ...


_FOLDERS = 2  # in each other, in notes and acceptances: a tree of anybody may be deeper than recursion goes


class SmallerBlob:
    """The plain policy: of two blobs the one with the smaller id, and every entry stays."""

    def blob(self, path: str, ours: TreeEntry, theirs: TreeEntry) -> TreeEntry | bytes:
        return min(ours, theirs, key=lambda entry: (entry.oid, entry.mode))

    def folder(self, path: str, entries: dict[str, TreeEntry]) -> dict[str, TreeEntry]:
        return entries

    def prepare(self, tree: str) -> str:
        return tree

    def descends(self, path: str) -> bool:
        return path.count("/") < _FOLDERS

    def is_whole(self, path: str) -> bool:
        return False

    def complete(self, sides: Sides, united: str | None) -> str | None:
        return united

    def adopt(self, ours: str, united: str | None) -> tuple[str | None, bool]:
        return united, False


class Trees:
    """Reads and writes trees of one repository; written objects stay in memory until `save`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[str, dict[str, TreeEntry]] = {}
        self._read: dict[str, bytes] = {}
        self._unsaved: dict[str, tuple[str, bytes]] = {}

    def entries(self, tree: str | None) -> dict[str, TreeEntry]:
        """The entries of a tree by name; names that Git does not allow are left out. Not to be changed."""
        if tree is None:
            return {}
        if tree not in self._known:
            self._make_room()
            listed = parse_tree(self._bytes(tree), self._backend.algorithm)
            self._known[tree] = {entry.name: entry for entry in listed if is_component(entry.name)}
        return self._known[tree]

    def entries_from(self, tree: str | None, start: str) -> list[TreeEntry]:
        """The entries whose names begin with `start`; in a folder of a large run cache much faster than `entries`."""
        if tree is None:
            return []
        if len(start) < LONG_NAME or tree in self._known:
            return [entry for name, entry in self.entries(tree).items() if name.startswith(start)]
        return entries_from(self._bytes(tree), start, self._backend.algorithm)

    def at(self, tree: str | None, path: str) -> TreeEntry | None:
        """The entry at a path below a tree, or None."""
        *folders, name = path.split("/")
        for folder in folders:
            tree = _tree_id(self._entry(tree, folder))
        return self._entry(tree, name)

    def folder(self, tree: str | None, path: str) -> dict[str, TreeEntry]:
        """The entries of the folder at a path; empty where there is none."""
        return self.entries(_tree_id(self.at(tree, path)))

    def blob(self, oid: str, most: int = MOST_BLOB) -> bytes:
        """The bytes of a blob, saved or not; `UnreadableObject` for one of more than `most` bytes."""
        return self._unsaved[oid][1] if oid in self._unsaved else self._backend.read_blob(oid, most)

    def hold(self, kind: str, data: bytes) -> str:
        """Take an object in; it is written by `save`."""
        oid = object_id(kind, data, self._backend.algorithm)
        self._unsaved[oid] = (kind, data)
        return oid

    def make(self, entries: dict[str, TreeEntry]) -> str | None:
        """The tree of these entries, or None for no entries: Git keeps no empty folder."""
        if not entries:
            return None
        oid = self.hold("tree", format_tree(entries.values()))
        self._known[oid] = entries
        return oid

    def edit(self, tree: str | None, changes: Mapping[str, TreeEntry | None]) -> str | None:
        """A tree with entries put in, replaced or taken out; None where nothing is left."""
        data = edit_tree(self._bytes(tree) if tree else b"", changes, self._backend.algorithm)
        return self.hold("tree", data) if data else None

    def save(self) -> None:
        """Write what is held. A folder that was replaced again meanwhile is written too; Git prunes it some day."""
        self._backend.write(list(self._unsaved.values()))
        self._unsaved.clear()
        # Of a long run the trees of before each flush would stay here, a hundred kilobytes at a time.
        self._known.clear()
        self._read.clear()

    def _entry(self, tree: str | None, name: str) -> TreeEntry | None:
        if len(name) < LONG_NAME:
            return self.entries(tree).get(name)
        return next((entry for entry in self.entries_from(tree, name) if entry.name == name), None)

    def _bytes(self, tree: str) -> bytes:
        """The bytes of a tree, kept: look-ups come back to the same folders."""
        if tree in self._unsaved:
            return self._unsaved[tree][1]
        if tree not in self._read:
            self._make_room()
            self._read[tree] = self._backend.read_bytes("tree", tree)
        return self._read[tree]

    def _make_room(self) -> None:
        """Begin anew where a look at every record has filled the memory: each has two folders, looked at once."""
        if len(self._known) + len(self._read) >= _MOST_KEPT:
            self._known.clear()
            self._read.clear()


class _Nest(NamedTuple):
    """Files to add below one folder: those in it, and those in folders below it."""

    files: dict[str, Content]
    folders: dict[str, _Nest]


def add_files(trees: Trees, tree: str | None, files: Mapping[str, Content]) -> str | None:
    """`tree` with these files (path -> content); only touched folders are made anew. None: nothing is left."""
    nest = _Nest({}, {})
    for path, content in files.items():
        *folders, name = path.split("/")
        below = nest
        for folder in folders:
            below = below.folders.setdefault(folder, _Nest({}, {}))
        below.files[name] = content
    return _add(trees, tree, nest)


def union(trees: Trees, ours: str | None, theirs: str | None, base: str | None, policy: MergePolicy) -> str | None:
    """Both trees in one. What stands in `base` and is gone from one side is gone from the union.

    Commutative and idempotent; without a base associative too, if the policy is.
    """
    ours, theirs, base = (policy.prepare(tree) if tree else None for tree in (ours, theirs, base))
    return policy.complete((ours, theirs, base), _unite(trees, "", (ours, theirs, base), policy))


def _add(trees: Trees, tree: str | None, nest: _Nest) -> str | None:
    changes: dict[str, TreeEntry | None] = {}
    for name, below in nest.folders.items():
        made = _add(trees, _tree_id(trees.at(tree, name)), below)
        changes[name] = TreeEntry(name, TREE, made) if made else None
    for name, content in nest.files.items():
        oid = trees.hold("blob", content) if isinstance(content, bytes) else content
        changes[name] = TreeEntry(name, BLOB, oid) if oid else None
    return trees.edit(tree, changes)


def _unite(trees: Trees, path: str, sides: Sides, policy: MergePolicy) -> str | None:
    ours, theirs, base = sides
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    mine, yours, old = trees.entries(ours), trees.entries(theirs), trees.entries(base)
    united: dict[str, TreeEntry] = {}
    for name in mine.keys() | yours.keys():
        below = f"{path}/{name}" if path else name
        entry = _unite_entry(trees, below, (mine.get(name), yours.get(name), old.get(name)), policy)
        if entry:
            united[name] = entry
    return trees.make(policy.folder(path, united))


_Entries = tuple[TreeEntry | None, TreeEntry | None, TreeEntry | None]


def _unite_entry(trees: Trees, path: str, sides: _Entries, policy: MergePolicy) -> TreeEntry | None:
    ours, theirs, base = sides
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    if ours is None or theirs is None:  # removed there, changed here: a changed one is in use
        return _surviving(trees, path, sides, policy)
    if TREE in (ours.mode, theirs.mode):
        if ours.mode != theirs.mode:
            return ours if ours.mode == TREE else theirs
        if not policy.descends(path):
            return min(ours, theirs, key=lambda entry: entry.oid)
        made = _unite(trees, path, (ours.oid, theirs.oid, _tree_id(base)), policy)
        return TreeEntry(ours.name, TREE, made) if made else None
    kept = policy.blob(path, ours, theirs)
    return TreeEntry(ours.name, BLOB, trees.hold("blob", kept)) if isinstance(kept, bytes) else kept


def _surviving(trees: Trees, path: str, sides: _Entries, policy: MergePolicy) -> TreeEntry | None:
    """One side lacks the entry and the other has changed it: of a folder, what is new since the base stays."""
    ours, theirs, base = sides
    entry = ours or theirs
    if entry is None or entry.mode != TREE or _tree_id(base) is None or _stays_whole(path, policy):
        return entry
    made = _unite(trees, path, (entry.oid, None, _tree_id(base)), policy)
    return TreeEntry(entry.name, TREE, made) if made else None


def _stays_whole(path: str, policy: MergePolicy) -> bool:
    return policy.is_whole(path) or not policy.descends(path)


def _tree_id(entry: TreeEntry | None) -> str | None:
    return entry.oid if entry and entry.mode == TREE else None
