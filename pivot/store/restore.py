"""Making a path in the work tree equal to an object: only what differs is written, and nothing unknown is lost."""

from __future__ import annotations

import os
import shutil
import stat as modes
import time
from dataclasses import dataclass

from pivot.errors import StoreError
from pivot.files import remove_quietly, temp_path, write_all
from pivot.git.backend import EXECUTABLE, SYMLINK, TREE, TreeEntry
from pivot.store import faults
from pivot.store.large import LargeFiles
from pivot.store.objects import Object, parse_pointer
from pivot.store.scan import DirectoryNode, Scanner
from pivot.store.small import SmallObjects
from pivot.store.stat_cache import FINE_TICK, StatCache
from pivot.store.trees import refuse_name


@dataclass(frozen=True, slots=True)
class Restorer:
    """Writes objects of a store into the work tree.

    `stamp` (ns) is the mtime of all files that one restore writes: a tick in the past, so that whoever writes to one of
    them afterwards leaves a trace, and the stat cache may trust them at once. `scratch` is a folder on the same file
    system as the path.
    """

    small: SmallObjects
    large: LargeFiles
    scratch: str
    stamp: int

    @classmethod
    def at(cls, path: str, small: SmallObjects, large: LargeFiles, scratch: str) -> Restorer:
        """A restorer for `path`, which leaves nothing in the work tree when it is killed, if `scratch` may be used."""
        beside = os.path.dirname(path)
        os.makedirs(beside, exist_ok=True)
        same = os.path.isdir(scratch) and os.stat(scratch).st_dev == os.stat(beside).st_dev
        usable = same and os.access(scratch, os.W_OK)
        return cls(small, large, scratch if usable else beside, time.time_ns() - 2 * FINE_TICK)

    def replace(self, oid: str, mode: int, path: str) -> None:
        """Put an object at `path`, in place of what is there (which its caller knows to be safe)."""
        temp = temp_path(self.scratch)
        try:
            self._write(oid, mode, temp)
            faults.point("restore:written")
            self._swap(temp, path)
        except BaseException:
            _remove(temp)
            raise
        faults.point("restore:renamed")

    def update(self, tree: str, now: DirectoryNode) -> None:
        """Make a directory that is there equal to a tree, entry by entry."""
        wanted = self._entries(tree)
        files = {file.name: (file.oid, file.mode) for file in now.files}
        folders = {folder.name: folder for folder in now.folders}
        for name in [*files, *folders]:
            if name not in wanted:
                _remove(f"{now.path}/{name}")
                faults.point("restore:removed")
        for name, entry in wanted.items():
            if files.get(name) == (entry.oid, entry.mode):
                continue
            folder = folders.get(name)
            if folder is None or entry.mode != TREE:
                self.replace(entry.oid, entry.mode, f"{now.path}/{name}")
            elif folder.tree != entry.oid:
                self.update(entry.oid, folder)

    def _write(self, oid: str, mode: int, target: str) -> None:
        if mode == TREE:
            self._write_directory(oid, target)
        elif mode == SYMLINK:
            os.symlink(self.small.blob(oid), os.fsencode(target))
        else:
            self._write_file(oid, target, executable=mode == EXECUTABLE)

    def _write_directory(self, tree: str, target: str) -> None:
        os.mkdir(target)
        for name, entry in self._entries(tree).items():
            self._write(entry.oid, entry.mode, f"{target}/{name}")

    def _write_file(self, oid: str, target: str, *, executable: bool) -> None:
        data = self.small.blob(oid)
        pointer = parse_pointer(data)
        if pointer is not None:
            self.large.place(pointer, target, executable=executable, stamp=self.stamp)
            return
        try:
            mode = 0o777 if executable else 0o666
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        except FileExistsError as error:
            raise StoreError(
                "this file system cannot tell two names apart that differ in case", where=target
            ) from error
        try:
            write_all(descriptor, data)
            os.utime(descriptor, ns=(self.stamp, self.stamp))
        finally:
            os.close(descriptor)

    def _swap(self, temp: str, path: str) -> None:
        """Rename into place; a directory cannot be renamed over, so it steps aside first."""
        try:
            os.replace(temp, path)
            return
        except OSError:
            if not os.path.lexists(path):
                raise
        aside = temp_path(self.scratch)
        os.rename(path, aside)
        try:
            faults.point("restore:aside")
            os.replace(temp, path)
        except OSError:
            os.rename(aside, path)
            raise
        _remove(aside)

    def _entries(self, tree: str) -> dict[str, TreeEntry]:
        entries = self.small.tree(tree)
        for entry in entries:
            refuse_name(entry.name)
        return {entry.name: entry for entry in entries}


def _remove(path: str) -> None:
    try:
        is_directory = modes.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if is_directory:
        shutil.rmtree(path)
    else:
        remove_quietly(path)


def learn(obj: Object, path: str, stats: StatCache, small: SmallObjects, stamp: int) -> None:
    """Tell the stat cache about what was just restored: whatever still has the mtime that it was given."""
    if obj.mode != TREE:
        stat = os.lstat(path)
        if stat.st_mtime_ns == stamp and stat.st_size == obj.size:
            stats.remember(path, stat, obj.id, time.time_ns())
        return
    scanner = Scanner(stats, _trust)
    node = scanner.directory(path)
    _recall(node, obj.id, small, stamp)
    if all(file.oid is not None for file in node.walk()):
        scanner.finish(node, _ignore)


def _recall(node: DirectoryNode, tree: str, small: SmallObjects, stamp: int) -> None:
    entries = {(entry.name, entry.mode): entry.oid for entry in small.tree(tree)}
    for file in node.files:
        if file.oid is None and (file.stat.st_mtime_ns == stamp or file.mode == SYMLINK):
            file.oid = entries.get((file.name, file.mode))
    for folder in node.folders:
        below = entries.get((folder.name, TREE))
        if below is not None and folder.tree is None:
            _recall(folder, below, small, stamp)


def _trust(tree: str) -> bool:
    return True


def _ignore(*_: object) -> None:
    return None
