"""Making a path in the work tree equal to an object: only what differs is written, and nothing unknown is lost."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator

from msgspec import Struct

from pivot.errors import InputError
from pivot.files import temp_path, write_all
from pivot.git.backend import BLOB, EXECUTABLE, SYMLINK, TREE, TreeEntry
from pivot.git.output_tree import refuse_name
from pivot.store import faults
from pivot.store.crowd import for_each
from pivot.store.large import LargeFiles, is_sealed
from pivot.store.layout import remove
from pivot.store.objects import LARGE, Object, parse_pointer
from pivot.store.scan import DirectoryNode, FileNode, Scanner
from pivot.store.small import SmallObjects
from pivot.store.stat_cache import FINE_TICK, StatCache


class Change(Struct, frozen=True):
    """One path to make equal to an object (to remove, where `oid` is None); `was` is what was seen there before."""

    path: str
    oid: str | None
    mode: int
    was: FileNode | DirectoryNode | None


class Restorer(Struct, frozen=True):
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

    def restore(self, obj: Object, path: str, now: FileNode | DirectoryNode | None) -> None:
        """Make `path`, where `now` stands, equal to an object."""
        if not isinstance(now, DirectoryNode) or obj.mode != TREE:
            self._replace(Change(path, obj.id, obj.mode, now))
            return
        changes = list(self._differences(obj.id, now))
        for change in changes:
            if change.oid is None:
                _refuse_stranger(change)
                remove(change.path)
                faults.point("restore:removed")
        for_each([change for change in changes if change.oid is not None], self._replace)

    def _differences(self, tree: str, now: DirectoryNode) -> Iterator[Change]:
        wanted = self._entries(tree)
        files = {file.name: file for file in now.files}
        folders = {folder.name: folder for folder in now.folders}
        for name in [*files, *folders]:
            if name not in wanted:
                yield Change(f"{now.path}/{name}", None, 0, files.get(name) or folders.get(name))
        for name, entry in wanted.items():
            file, folder = files.get(name), folders.get(name)
            if folder is not None and entry.mode == TREE:
                yield from self._differences(entry.oid, folder) if folder.tree != entry.oid else ()
            elif file is None or (file.oid, file.mode) != (entry.oid, entry.mode):
                yield Change(f"{now.path}/{name}", entry.oid, entry.mode, file or folder)

    def _replace(self, change: Change) -> None:
        """Put an object into the place of what is there (which is known to be safe)."""
        try:
            self._replace_from(self.scratch, change)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # One device may be mounted in two places; renaming between them fails all the same.
            self._replace_from(os.path.dirname(change.path), change)

    def _replace_from(self, scratch: str, change: Change) -> None:
        temp = temp_path(scratch)
        try:
            self._write(change.oid or "", change.mode, temp)
            faults.point("restore:written")
            _refuse_stranger(change)
            _swap(temp, change.path)
        except BaseException:
            remove(temp)
            raise
        faults.point("restore:renamed")

    def _write(self, oid: str, mode: int, target: str) -> None:
        if mode == TREE:
            files = list(self._make_folders(oid, target))
            for_each(files, lambda change: self._write(change.oid or "", change.mode, change.path))
        elif mode == SYMLINK:
            os.symlink(self.small.blob(oid), os.fsencode(target))
        else:
            self._write_file(oid, target, executable=mode == EXECUTABLE)

    def _make_folders(self, tree: str, target: str) -> Iterator[Change]:
        """Make a directory with all below it, and name the files that belong there."""
        os.mkdir(target)
        for name, entry in self._entries(tree).items():
            if entry.mode == TREE:
                yield from self._make_folders(entry.oid, f"{target}/{name}")
            else:
                yield Change(f"{target}/{name}", entry.oid, entry.mode, None)

    def _write_file(self, oid: str, target: str, *, executable: bool) -> None:
        data = self.small.blob(oid)
        pointer = parse_pointer(data)
        if pointer is not None:
            self.large.place(pointer, target, executable=executable, stamp=self.stamp)
            return
        mode = 0o777 if executable else 0o666
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(descriptor, data)
            os.utime(descriptor, ns=(self.stamp, self.stamp))
        finally:
            os.close(descriptor)

    def _entries(self, tree: str) -> dict[str, TreeEntry]:
        entries = self.small.tree(tree)
        for entry in entries:
            refuse_name(entry.name)
        return {entry.name: entry for entry in entries}


def learn(obj: Object, path: str, stats: StatCache, restorer: Restorer) -> None:
    """Tell the stat cache about what was just restored: whatever still has the mtime that it was given."""
    if obj.mode != TREE:
        file = FileNode(path, os.path.basename(path), obj.mode, os.lstat(path))
        if _is_ours(file, obj.id, restorer):
            stats.remember(path, file.stat, obj.id, time.time_ns())
        return
    scanner = Scanner(stats, _trust)
    node = scanner.directory(path)
    _recall(node, obj.id, restorer)
    if all(file.oid is not None for file in node.walk()):
        scanner.finish(node, _ignore)


def _recall(node: DirectoryNode, tree: str, restorer: Restorer) -> None:
    entries = {(entry.name, entry.mode): entry.oid for entry in restorer.small.tree(tree)}
    for file in node.files:
        oid = entries.get((file.name, file.mode))
        if file.oid is None and oid is not None and _is_ours(file, oid, restorer):
            file.oid = oid
    for folder in node.folders:
        below = entries.get((folder.name, TREE))
        if below is not None and folder.tree is None:
            _recall(folder, below, restorer)


def _is_ours(file: FileNode, oid: str, restorer: Restorer) -> bool:
    if file.mode == SYMLINK or file.stat.st_mtime_ns == restorer.stamp:
        return True
    if file.stat.st_size < LARGE or file.mode != BLOB:
        return False
    pointer = parse_pointer(restorer.small.blob(oid))
    return pointer is not None and file.stat.st_size == pointer.size and is_sealed(file.stat, pointer.blake3)


def _refuse_stranger(change: Change) -> None:
    """What is about to go must be what was looked at: somebody may have written there meanwhile."""
    if isinstance(change.was, DirectoryNode):
        return
    try:
        now = FileNode(change.path, "", 0, os.lstat(change.path)).row
    except FileNotFoundError:
        return
    if change.was is None or now[2:] != change.was.row[2:]:
        raise InputError(f"{change.path} changed while it was being replaced", hint="Run the command again.")


def _swap(temp: str, path: str) -> None:
    """Rename into place; a directory cannot be renamed over, so it steps aside first."""
    try:
        os.replace(temp, path)
        return
    except OSError as error:
        if error.errno == errno.EXDEV or not os.path.lexists(path):
            raise
    aside = temp_path(os.path.dirname(temp))
    os.rename(path, aside)
    try:
        faults.point("restore:aside")
        os.replace(temp, path)
    except OSError:
        os.rename(aside, path)
        raise
    remove(aside)


def _trust(tree: str) -> bool:
    return True


def _ignore(*_: object) -> None:
    return None
