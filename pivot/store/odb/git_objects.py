"""The Git objects of a store: loose ones and packs, read without libgit2, every byte checked against its id."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TypeVar

from pivot.errors import DamagedObject, MissingObject
from pivot.git.odb.backend import TREE, TreeEntry
from pivot.store.odb.large_files import LargeFiles
from pivot.store.odb.layout import create, make_folder
from pivot.store.odb.loose import LooseObjects
from pivot.store.odb.objects import EMPTY_TREE, POINTER_MAX, Object, Pointer, object_id, parse_pointer, refuse_size
from pivot.store.odb.pack_reader import Pack, Packs
from pivot.store.odb.pack_writer import NewObjects
from pivot.store.odb.tree_format import parse_tree
from pivot.store.odb.tree_shapes import TreeShapes

_Found = TypeVar("_Found")


class SmallObjects:
    """Blobs and trees by id.

    An object that turned out to be damaged is *condemned*: `damaged/<id>` in the store holds its loose file, or is an
    empty mark where it stands in a pack. From then on only a loose object counts under that id, so that the right
    bytes can be stored again.

    What is not here is looked for in `base`, the objects of another store.
    """

    def __init__(self, store: str, base: SmallObjects | None = None) -> None:
        self._store = store
        self._base = base
        self._loose = LooseObjects(store)
        self._packs = Packs(f"{store}/objects/pack")
        self._condemned: set[str] | None = None

    def has(self, oid: str) -> bool:
        """Is it here, and not known to be damaged?"""
        return self.header(oid) is not None

    def header(self, oid: str) -> tuple[bytes, int] | None:
        """Kind and size, or None when it is not here or cannot be read."""
        try:
            found = self._look_up(oid, Pack.header, self._loose.header)
            if found is not None:
                refuse_size(oid, *found)
        except DamagedObject:
            self._condemn(oid)
            found = None
        return self._base.header(oid) if found is None and self._base else found

    def read(self, oid: str) -> tuple[bytes, bytes]:
        """Kind and bytes.

        Raises:
            MissingObject: it is not here.
            DamagedObject: what was here is something else; it is condemned now.
        """
        try:
            read = self._look_up(oid, _read_packed(oid), self._loose.read)
            if read is not None and object_id(*read) != oid:
                raise DamagedObject(f"object {oid} in the store has other bytes", hint="git pivot fsck")
        except DamagedObject:
            self._condemn(oid)
            raise
        if read is not None:
            return read
        if self._base:
            return self._base.read(oid)
        if oid == EMPTY_TREE:
            return b"tree", b""
        raise MissingObject(f"the store does not have object {oid}", hint="git pivot pull")

    def blob(self, oid: str) -> bytes:
        return self._of_kind(oid, b"blob")

    def tree(self, oid: str) -> list[TreeEntry]:
        return parse_tree(self._of_kind(oid, b"tree"))

    def batch(self) -> NewObjects:
        """A batch of new objects; makes the store if it is not there."""
        create(self._store)
        return NewObjects(self._store, self._loose, self._bad)

    def packs(self) -> list[Pack]:
        return self._packs.all()

    def _of_kind(self, oid: str, kind: bytes) -> bytes:
        found, data = self.read(oid)
        if found != kind:
            raise DamagedObject(f"object {oid} is a {found.decode()}, not a {kind.decode()}")
        return data

    def _look_up(
        self, oid: str, packed: Callable[[Pack, int], _Found], loose: Callable[[str], _Found | None]
    ) -> _Found | None:
        found = self._in_packs(oid)
        if found is None:
            return loose(oid)
        try:
            return packed(*found)
        except FileNotFoundError:  # a clean-up has just written this pack anew
            self._packs.forget()
            found = self._in_packs(oid)
            return packed(*found) if found else loose(oid)

    def _in_packs(self, oid: str) -> tuple[Pack, int] | None:
        return self._packs.find(oid) if oid not in self._bad else None

    @property
    def _bad(self) -> set[str]:
        if self._condemned is None:
            try:
                self._condemned = set(os.listdir(f"{self._store}/damaged"))
            except FileNotFoundError:
                self._condemned = set()
        return self._condemned

    def _condemn(self, oid: str) -> None:
        loose, mark = self._loose.path(oid), f"{self._store}/damaged/{oid}"
        from_pack = self._in_packs(oid) is not None
        self._bad.add(oid)
        with contextlib.suppress(OSError):  # a store that may only be read: known in this process only
            make_folder(self._store, f"{self._store}/damaged")
            if from_pack:
                os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
            else:
                os.replace(loose, mark)


def _read_packed(oid: str) -> Callable[[Pack, int], tuple[bytes, bytes]]:
    def read(pack: Pack, offset: int) -> tuple[bytes, bytes]:
        refuse_size(oid, *pack.header(offset))
        return pack.read(offset)

    return read


class Presence:
    """Answers whether all of an object is in the store. What was found once is not looked for again."""

    def __init__(self, small: SmallObjects, large: LargeFiles) -> None:
        self._small = small
        self._large = large
        self._shapes = TreeShapes(small.tree)
        self._trees: set[str] = set()
        self._blobs: set[str] = set()

    def tree(self, oid: str) -> bool:
        """Is a directory here with everything below it?"""
        if oid == EMPTY_TREE or oid in self._trees:
            return True
        seen: set[str] = set()
        try:
            self._shapes.check(oid)
            complete = self._is_complete(oid, seen)
        except (MissingObject, DamagedObject):
            return False
        if complete:
            self._trees |= seen
        return complete

    def _is_complete(self, oid: str, seen: set[str]) -> bool:
        """Each directory is looked at once, however often it is named."""
        waiting = [oid]
        while waiting:
            tree = waiting.pop()
            if tree in seen or tree in self._trees or tree == EMPTY_TREE:
                continue
            seen.add(tree)
            for entry in self._small.tree(tree):
                if entry.mode == TREE:
                    waiting.append(entry.oid)
                elif not self.blob(entry.oid):
                    return False
        return True

    def blob(self, oid: str) -> bool:
        """Is a file here, and where its blob is a pointer, the large file too?"""
        if oid in self._blobs:
            return True
        header = self._small.header(oid)
        if header is None:
            return False
        try:
            pointer = pointer_of(self._small, oid, header[1])
        except (MissingObject, DamagedObject):
            return False
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
    return Object(oid, mode, TreeShapes(small.tree, lambda file: file_size(small, file)).check(oid).size)
