"""Bringing files into the store: read, hash, and keep what is new."""

from __future__ import annotations

import os
import stat as modes
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from pivot.errors import InputError
from pivot.git.odb.backend import SYMLINK
from pivot.store.odb.large_files import LargeFiles, digest, is_change
from pivot.store.odb.objects import LARGE, Pointer, object_id, parse_pointer
from pivot.store.odb.pack_writer import PackEntry, encode
from pivot.store.worktree.scan import FileNode, mode_of, unreadable
from pivot.store.worktree.thread_pool import CHUNK, CROWD, in_threads

_CHUNK_BYTES = 4 << 20  # bytes of small files that one thread holds at a time


class Hash(Struct, frozen=True):
    """Finds out what id a file has, and stores nothing."""

    def __call__(self, file: FileNode) -> list[PackEntry]:
        file.oid = self._id(file)
        return []

    def _id(self, file: FileNode) -> str:
        if file.mode == SYMLINK:
            return object_id(b"blob", _link_target(file))
        with _Source(file) as source:
            if file.stat.st_size < LARGE:
                data = source.read()
                if parse_pointer(data) is None:
                    return object_id(b"blob", data)
            source.name = digest(source.descriptor)
            return Pointer(source.name, file.stat.st_size).id


class Keep(Struct, frozen=True):
    """Stores a file: a large one at once; a small one is handed back for the batch unless `has` knows it."""

    has: Callable[[str], bool]
    large: LargeFiles

    def __call__(self, file: FileNode) -> list[PackEntry]:
        if file.mode == SYMLINK:
            return self._small(file, _link_target(file))
        with _Source(file) as source:
            if file.stat.st_size < LARGE:
                data = source.read()
                if parse_pointer(data) is None:
                    return self._small(file, data)
            pointer = self.large.put(file.path, source.descriptor)
            source.name = pointer.blake3
        return self._small(file, pointer.to_bytes())

    def _small(self, file: FileNode, data: bytes) -> list[PackEntry]:
        file.oid = object_id(b"blob", data)
        return [] if self.has(file.oid) else [encode(b"blob", data, file.oid)]


class Small(Struct, frozen=True):
    """The bytes of a small file, its Git mode, and what the stat cache wants to know."""

    data: bytes
    mode: int
    stat: os.stat_result
    read_at: int


def read_small(path: str, most: int) -> Small | None:
    """A regular file of at most `most` bytes (none: 0), which nothing changes meanwhile; None for all else."""
    stat = os.lstat(path)
    if stat.st_size >= min(most, LARGE) or not modes.S_ISREG(stat.st_mode):
        return None
    read_at = time.time_ns()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    data, now = os.read(descriptor, most), os.fstat(descriptor)
    os.close(descriptor)
    if len(data) != stat.st_size or is_change(stat, now, "") or parse_pointer(data) is not None:
        return None
    return Small(data, mode_of(now, path), now, read_at)


class _Source:
    """An open file that must be the one that was scanned, and stay as it is while it is read."""

    def __init__(self, file: FileNode) -> None:
        self._file = file
        self.descriptor = -1
        self.name = ""  # the BLAKE3 of a large file, once it is known

    def __enter__(self) -> _Source:
        self._file.read_at = time.time_ns()
        try:
            self.descriptor = os.open(self._file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise unreadable(self._file.path, error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        now = os.fstat(self.descriptor)
        os.close(self.descriptor)
        if kind is None and is_change(self._file.stat, now, self.name):
            raise InputError(
                f"{self._file.path} changed while it was being read", hint="Run again when nothing writes to it."
            )
        self._file.stat = now

    def read(self) -> bytes:
        return os.read(self.descriptor, LARGE + 1)


def take_all(
    files: list[FileNode], work: Callable[[FileNode], list[PackEntry]], add: Callable[[PackEntry], object]
) -> None:
    """Do `work` for every file, in threads when there are many, and hand the new entries to `add` in this one."""
    if len(files) < CROWD and sum(file.stat.st_size for file in files) < 64 << 20:
        for file in files:
            for entry in work(file):
                add(entry)
        return
    for entries in in_threads(_chunks(files), lambda chunk: _take_chunk(chunk, work)):
        for entry in entries:
            add(entry)


def _chunks(files: list[FileNode]) -> Iterator[list[FileNode]]:
    chunk: list[FileNode] = []
    held = 0
    for file in files:
        chunk.append(file)
        held += file.stat.st_size
        if len(chunk) >= CHUNK or held >= _CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    yield chunk


def _take_chunk(chunk: list[FileNode], work: Callable[[FileNode], list[PackEntry]]) -> list[PackEntry]:
    return [entry for file in chunk for entry in work(file)]


def _link_target(file: FileNode) -> bytes:
    file.read_at = time.time_ns()
    try:
        return os.fsencode(os.readlink(file.path))
    except OSError as error:
        raise unreadable(file.path, error) from error
