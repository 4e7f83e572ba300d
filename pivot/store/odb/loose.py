"""Loose objects: one zlib file each, as Git writes them, in `objects/ab/<38 hex>`."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable

from pivot.errors import DamagedObject
from pivot.files import fsync_dir, remove_quietly, temp_path, write_all
from pivot.git.odb.loose_reader import Damaged, TooLarge, inflate, read_header
from pivot.store.odb import crash_points
from pivot.store.odb.layout import make_folder, protect
from pivot.store.odb.objects import MOST_TREE, refuse_size

LEVEL = 1  # level 0 as libgit2 writes it cannot be read back by anything


class LooseObjects:
    """The loose objects of one store."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.folder = f"{store}/objects"

    def path(self, oid: str) -> str:
        return f"{self.folder}/{oid[:2]}/{oid[2:]}"

    def read(self, oid: str) -> tuple[bytes, bytes] | None:
        """Kind and bytes, or None when it is not here.

        Raises:
            DamagedObject: the file is not a loose object. Whether it is the right one is for the caller to check.
        """
        try:
            with open(self.path(oid), "rb") as file:
                packed = file.read(MOST_TREE + 1)
        except FileNotFoundError:
            return None
        try:
            refuse_size(oid, *read_header(packed))
            return inflate(packed, None)
        except (Damaged, TooLarge) as error:
            raise DamagedObject(f"object {oid} is damaged: {error}", where=self.path(oid)) from error

    def header(self, oid: str) -> tuple[bytes, int] | None:
        """Kind and size, from the first bytes only; None when it is not here."""
        try:
            with open(self.path(oid), "rb", buffering=0) as file:
                start = file.read(256)
        except FileNotFoundError:
            return None
        try:
            return read_header(start)
        except Damaged as error:
            raise DamagedObject(f"object {oid} is damaged: {error}", where=self.path(oid)) from error

    def write(self, objects: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Write objects (id, kind, bytes) so that none shows before its bytes are safe on the disk."""
        staged: list[tuple[str, str]] = []
        try:
            for oid, kind, data in objects:
                staged.append((self._stage(kind, data), self.path(oid)))
            crash_points.point("loose:staged")
            _sync([temp for temp, _ in staged])
            crash_points.point("loose:synced")
            for temp, final in staged:
                make_folder(self._store, os.path.dirname(final))
                os.replace(temp, final)
                crash_points.point("loose:renamed")
            fsync_dir(self.folder)
        except BaseException:
            for temp, _ in staged:
                remove_quietly(temp)
            raise

    def _stage(self, kind: bytes, data: bytes) -> str:
        temp = temp_path(f"{self._store}/tmp")
        packed = zlib.compress(b"%s %d\0" % (kind, len(data)) + data, LEVEL)
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            write_all(descriptor, packed)
            protect(self._store, temp)
        except BaseException:
            remove_quietly(temp)
            raise
        finally:
            os.close(descriptor)
        return temp


def _sync(paths: list[str]) -> None:
    """Several threads at once: the file system then joins their syncs in one journal commit."""
    if len(paths) < 4:
        for path in paths:
            _sync_file(path)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_sync_file, paths))


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
