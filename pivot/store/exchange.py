"""What a store gives to another one and takes from it: objects by id, with everything below them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field

from pivot.errors import DamagedObject, LockTimeout, MissingObject
from pivot.files import TEMP_PREFIX, remove_quietly, write_all
from pivot.git.odb.backend import SYMLINK, TREE, TreeEntry
from pivot.store.odb import links
from pivot.store.odb.git_objects import SmallObjects, pointer_of
from pivot.store.odb.large_files import LargeFiles
from pivot.store.odb.layout import RECENT, create, in_words, lock_store, mark, protect
from pivot.store.odb.objects import EMPTY_TREE, POINTER_MAX, Object, Pointer
from pivot.store.odb.pack_writer import encode
from pivot.store.odb.tree_format import parse_tree


class WantedRoot(Struct, frozen=True):
    """An object that is wanted with everything below it; `path` is where its bytes belong, for finding old versions."""

    id: str
    mode: int
    path: str = ""


def read_level(data: bytes) -> list[WantedRoot]:
    """One level of a directory from the bytes of its tree, names as paths."""
    return _as_level(parse_tree(data))


def _as_level(entries: Iterable[TreeEntry]) -> list[WantedRoot]:
    """Entries of a tree with their names as paths."""
    return [WantedRoot(entry.oid, entry.mode, entry.name) for entry in entries]


def as_object(root: WantedRoot) -> Object:
    """The object of a root; how big it is is not known."""
    return Object(root.id, root.mode, 0)


class Member(Struct, frozen=True):
    """A Git object below a root: `size` is that of the Git object, a pointer's own bytes for a large file."""

    id: str
    mode: int
    size: int
    path: str


class Closure(Struct):
    """Everything at and below some roots, by id, what is below before what is above; `absent` is not here."""

    members: dict[str, Member] = field(default_factory=dict)
    large: dict[str, Pointer] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)


class Exchange:
    """The side of a store that remotes see. Whatever comes in is checked against its name before it counts."""

    def __init__(self, store: str, small: SmallObjects, large: LargeFiles) -> None:
        self.path = store
        self._small = small
        self._large = large

    def closure(self, roots: Iterable[WantedRoot]) -> Closure:
        """What is at and below `roots`; large files by the ids of their pointers."""
        found = Closure()
        for root in roots:
            self._walk(root, found)
        return found

    def has(self, oid: str) -> bool:
        return oid == EMPTY_TREE or self._small.has(oid)

    def tree(self, oid: str) -> list[WantedRoot] | None:
        """One level of a directory, names as paths; None where it is not here."""
        try:
            return _as_level(self._small.tree(oid))
        except (MissingObject, DamagedObject):
            return None

    def pointer(self, oid: str) -> Pointer | None:
        """The pointer that a blob here is, or None."""
        header = self._small.header(oid)
        return pointer_of(self._small, oid, header[1]) if header else None

    def has_large(self, pointer: Pointer) -> bool:
        return self._large.has(pointer)

    def large_path(self, pointer: Pointer) -> str:
        return self._large.path(pointer.blake3)

    @contextmanager
    def adding(self, roots: Iterable[WantedRoot]) -> Iterator[None]:
        """Nothing that comes in meanwhile, and nothing that these roots name, is cleaned up."""
        with in_words("the store cannot be written to", self.path):
            create(self.path)
            with lock_store(self.path, alone=False):
                for root in roots:
                    mark(self.path, RECENT, root.id, root.mode)
                yield

    def take_trees(self, trees: Mapping[str, bytes]) -> None:
        """Store directory levels whose bytes were checked against their ids."""
        batch = self._small.batch()
        try:
            for oid, data in trees.items():
                if not self._small.has(oid):
                    batch.add(encode(b"tree", data, oid))
            batch.finish()
        except BaseException:
            batch.abandon()
            raise

    def protect_pack(self, name: str) -> None:
        """Give the files of a pack that `git` wrote the permissions that this store's files have."""
        for suffix in ("pack", "idx", "rev"):
            path = f"{self.path}/objects/pack/pack-{name}.{suffix}"
            if os.path.exists(path):
                protect(self.path, path)

    @contextmanager
    def incoming(self, pointer: Pointer) -> Iterator[Incoming]:
        """A large file that comes in piece by piece; what came before a break is kept for the next try.

        Raises:
            LockTimeout: another command brings the same file right now.
        """
        incoming = Incoming(f"{self.path}/tmp/{TEMP_PREFIX}incoming-{pointer.blake3}", pointer, self._large)
        try:
            yield incoming
        finally:
            incoming.close()

    def _walk(self, root: WantedRoot, found: Closure) -> None:
        waiting = [(root, False)]
        while waiting:
            here, is_done = waiting.pop()
            if is_done:
                header = self._small.header(here.id)
                found.members[here.id] = Member(here.id, TREE, header[1] if header else 0, here.path)
            elif here.id in found.members or here.id in found.absent or here.id == EMPTY_TREE:
                continue
            elif here.mode != TREE:
                self._add_file(here, found)
            elif (entries := self.tree(here.id)) is None:
                found.absent.add(here.id)
            else:
                waiting.append((here, True))
                below = [WantedRoot(one.id, one.mode, f"{here.path}/{one.path}".lstrip("/")) for one in entries]
                waiting += [(one, False) for one in below]

    def _add_file(self, file: WantedRoot, found: Closure) -> None:
        header = self._small.header(file.id)
        pointer = None
        try:
            if header and header[1] <= POINTER_MAX and file.mode != SYMLINK:
                pointer = pointer_of(self._small, file.id, header[1])
        except (MissingObject, DamagedObject):
            header = None
        if header is None or (pointer and not self._large.has(pointer)):
            found.absent.add(file.id)
            return
        found.members[file.id] = Member(file.id, file.mode, header[1], file.path)
        if pointer:
            found.large[file.id] = pointer


class Incoming:
    """A large file on its way in. `offset` is how many bytes are here already."""

    def __init__(self, path: str, pointer: Pointer, large: LargeFiles) -> None:
        self._path = path
        self._pointer = pointer
        self._large = large
        self._descriptor = _open_alone(path, pointer)
        self._hasher = _hasher()
        self.offset = 0
        if os.fstat(self._descriptor).st_size >= pointer.size:
            os.ftruncate(self._descriptor, 0)
        for block in links.blocks(self._descriptor):
            self._count(block)
        os.lseek(self._descriptor, self.offset, os.SEEK_SET)

    def write(self, block: bytes) -> None:
        write_all(self._descriptor, block)
        self._count(block)

    def finish(self) -> None:
        """Check the whole, and make it part of the store.

        Raises:
            DamagedObject: these are other bytes than the name says, or too few or too many; they are thrown away.
        """
        if self.offset != self._pointer.size or self._hasher.hexdigest() != self._pointer.blake3:
            remove_quietly(self._path)
            raise DamagedObject(f"large file {self._pointer.blake3} came with other bytes", hint="git pivot fsck")
        os.fchmod(self._descriptor, 0o444)
        self._large.take(self._path, self._pointer)

    def close(self) -> None:
        os.close(self._descriptor)

    def _count(self, block: bytes | memoryview) -> None:
        self._hasher.update(block)
        self.offset += len(block)


def digest_of(blocks: Iterable[bytes]) -> str:
    """The BLAKE3 of bytes that come piece by piece."""
    hasher = _hasher()
    for block in blocks:
        hasher.update(block)
    return str(hasher.hexdigest())


def _open_alone(path: str, pointer: Pointer) -> int:
    """Open a partial file that nobody else writes to."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have made it part of the store since we opened it: then it is not ours to write to.
            if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            raise LockTimeout(
                f"another command brings large file {pointer.blake3[:12]} right now", hint="Wait for it, and run again."
            ) from error
        os.close(descriptor)


def _hasher() -> Any:
    from blake3 import blake3

    return blake3(max_threads=1)
