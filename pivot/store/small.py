"""The Git objects of a store: loose ones and packs, read without libgit2, every byte checked against its id."""

from __future__ import annotations

import os

from pivot.errors import DamagedObject, MissingObject
from pivot.files import temp_path
from pivot.git.backend import TREE, TreeEntry
from pivot.store.large import LargeFiles
from pivot.store.loose import LooseObjects
from pivot.store.objects import EMPTY_TREE, POINTER_MAX, Object, Pointer, object_id, parse_pointer
from pivot.store.pack_writer import NewObjects
from pivot.store.packs import Packs
from pivot.store.trees import parse_tree

# `preciousObjects` keeps `git gc`, `git prune` and `git repack -d` from removing what no ref names: nothing has a ref.
_CONFIG = """[core]
\trepositoryformatversion = 1
\tbare = true
\tlogAllRefUpdates = false
[extensions]
\tpreciousObjects = true
[gc]
\tauto = 0
\tpruneExpire = never
"""


class SmallObjects:
    """Blobs and trees by id."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._loose = LooseObjects(f"{store}/objects")
        self._packs = Packs(f"{store}/objects/pack")

    def has(self, oid: str) -> bool:
        return self._loose.has(oid) or self._packs.find(oid) is not None

    def header(self, oid: str) -> tuple[bytes, int] | None:
        """Kind and size, or None when it is not here."""
        found = self._packs.find(oid)
        return found[0].header(found[1]) if found else self._loose.header(oid)

    def read(self, oid: str) -> tuple[bytes, bytes]:
        """Kind and bytes.

        Raises:
            MissingObject: it is not here.
            DamagedObject: what is here is something else.
        """
        found = self._packs.find(oid)
        read = found[0].read(found[1]) if found else self._loose.read(oid)
        if read is None:
            if oid == EMPTY_TREE:
                return b"tree", b""
            raise MissingObject(f"the store does not have object {oid}", hint="git pivot pull")
        if object_id(*read) != oid:
            raise DamagedObject(f"object {oid} in the store has other bytes", hint="git pivot fsck")
        return read

    def blob(self, oid: str) -> bytes:
        return self._of_kind(oid, b"blob")

    def tree(self, oid: str) -> list[TreeEntry]:
        return parse_tree(self._of_kind(oid, b"tree"))

    def batch(self) -> NewObjects:
        """A batch of new objects; makes the store if it is not there."""
        create(self._store)
        return NewObjects(f"{self._store}/objects", self._loose)

    def _of_kind(self, oid: str, kind: bytes) -> bytes:
        found, data = self.read(oid)
        if found != kind:
            raise DamagedObject(f"object {oid} is a {found.decode()}, not a {kind.decode()}")
        return data


class Presence:
    """Answers whether all of an object is in the store. What was found once is not looked for again."""

    def __init__(self, small: SmallObjects, large: LargeFiles) -> None:
        self._small = small
        self._large = large
        self._trees: set[str] = set()
        self._blobs: set[str] = set()

    def tree(self, oid: str) -> bool:
        """Is a directory here with everything below it?"""
        if oid == EMPTY_TREE or oid in self._trees:
            return True
        if self._small.header(oid) is None:
            return False
        for entry in self._small.tree(oid):
            if not (self.tree(entry.oid) if entry.mode == TREE else self.blob(entry.oid)):
                return False
        self._trees.add(oid)
        return True

    def blob(self, oid: str) -> bool:
        """Is a file here, and where its blob is a pointer, the large file too?"""
        if oid in self._blobs:
            return True
        header = self._small.header(oid)
        if header is None:
            return False
        pointer = pointer_of(self._small, oid, header[1])
        if pointer is not None:
            return self._large.has(pointer)  # looked at each time: a large file can be written to through its links
        self._blobs.add(oid)
        return True


def pointer_of(small: SmallObjects, oid: str, size: int) -> Pointer | None:
    """The pointer that a blob of `size` bytes is, or None; most blobs are too long to be read for that."""
    return parse_pointer(small.blob(oid)) if size <= POINTER_MAX else None


def file_size(small: SmallObjects, oid: str) -> int:
    """The bytes of the file that a blob stands for."""
    header = small.header(oid)
    if header is None:
        raise MissingObject(f"the store does not have object {oid}", hint="git pivot pull")
    pointer = pointer_of(small, oid, header[1])
    return pointer.size if pointer else header[1]


def object_of(small: SmallObjects, oid: str, mode: int) -> Object:
    """The object that a tree entry names, with its size."""
    if mode != TREE:
        return Object(oid, mode, file_size(small, oid))
    return Object(oid, mode, sum(object_of(small, entry.oid, entry.mode).size for entry in small.tree(oid)))


def create(store: str) -> None:
    """Make an empty store, all at once, unless there is one."""
    if os.path.isdir(f"{store}/objects/pack"):
        return
    parent = os.path.dirname(store)
    os.makedirs(parent, exist_ok=True)
    temp = temp_path(parent)
    for folder in ("objects/pack", "objects/info", "refs/heads", "large", "tmp"):
        os.makedirs(f"{temp}/{folder}")
    _write(f"{temp}/HEAD", "ref: refs/heads/main\n")
    _write(f"{temp}/config", _CONFIG)
    try:
        os.rename(temp, store)
    except OSError:
        _remove_new(temp)
        if not os.path.isdir(f"{store}/objects/pack"):
            raise


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _remove_new(folder: str) -> None:
    import shutil

    shutil.rmtree(folder)
