"""Making a path in the work tree equal to an object: only what differs is written, and nothing unknown is lost."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator

from msgspec import Struct

from pivot.errors import InputError
from pivot.files import temp_path, write_all
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE, TreeEntry
from pivot.git.output_tree import refuse_name
from pivot.store.odb import crash_points
from pivot.store.odb.git_objects import SmallObjects
from pivot.store.odb.large_files import LargeFiles, is_sealed
from pivot.store.odb.layout import remove
from pivot.store.odb.narrow import NarrowModes, denied
from pivot.store.odb.objects import LARGE, Object, parse_pointer
from pivot.store.odb.stat_cache import FINE_TICK, StatCache
from pivot.store.worktree.folders import check_relative, look, open_below, remove_in, scratch_for
from pivot.store.worktree.scan import DirectoryNode, FileNode, Scanner
from pivot.store.worktree.thread_pool import for_each


class PathChange(Struct, frozen=True):
    """One path below the root to make equal to an object (to remove, where `oid` is None).

    `was` is what was seen there before.
    """

    path: str
    oid: str | None
    mode: int
    was: FileNode | DirectoryNode | None

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Restorer(Struct, frozen=True):
    """Writes objects of a store below `root`, in folders that are opened without following a link.

    `scratch` are folders of ours in which what is written waits to be renamed into place; where none of them is on the
    file system of the path, that is done beside it. `stamp` (ns) is the mtime of all files that one restore writes: a
    tick in the past, so that whoever writes to one of them afterwards leaves a trace, and the stat cache may trust them
    at once.
    """

    small: SmallObjects
    large: LargeFiles
    narrow: NarrowModes
    root: str
    scratch: tuple[str, ...]
    stamp: int

    @classmethod
    def at(
        cls, small: SmallObjects, large: LargeFiles, narrow: NarrowModes, root: str, scratch: tuple[str, ...]
    ) -> Restorer:
        return cls(small, large, narrow, root, scratch, time.time_ns() - 2 * FINE_TICK)

    def restore(self, obj: Object, path: str, now: FileNode | DirectoryNode | None) -> None:
        """Make `path` (relative to the root), where `now` is, equal to an object.

        Raises:
            UnsafePath: a folder on the way is a symlink.
            InputError: somebody has written there meanwhile.
        """
        check_relative(path)
        if isinstance(now, DirectoryNode) and obj.mode == TREE:
            changes = list(self._differences(obj.id, now, path))
        else:
            changes = [PathChange(path, obj.id, obj.mode, now)]
        by_folder: dict[str, list[PathChange]] = {}
        for change in changes:
            by_folder.setdefault(change.folder, []).append(change)
        for_each(list(by_folder.values()), self._change)

    def _differences(self, tree: str, now: DirectoryNode, path: str) -> Iterator[PathChange]:
        wanted = self._entries(tree)
        files = {file.name: file for file in now.files}
        folders = {folder.name: folder for folder in now.folders}
        for name in [*files, *folders]:
            if name not in wanted:
                yield PathChange(f"{path}/{name}", None, 0, files.get(name) or folders.get(name))
        for name, entry in wanted.items():
            file, folder = files.get(name), folders.get(name)
            if folder is not None and entry.mode == TREE:
                yield from self._differences(entry.oid, folder, f"{path}/{name}") if folder.tree != entry.oid else ()
            elif file is None or (file.oid, file.mode) != (entry.oid, entry.mode):
                yield PathChange(f"{path}/{name}", entry.oid, entry.mode, file or folder)

    def _change(self, changes: list[PathChange]) -> None:
        """Make all changes in one folder."""
        path = changes[0].folder
        place = f"{self.root}/{path}" if path else self.root
        with open_below(self.root, path, make=True) as folder, scratch_for(folder, place, self.scratch) as scratch:
            for change in changes:
                if change.oid is None:
                    _refuse_stranger(folder, change)
                    remove_in(folder, change.name)
                    crash_points.point("restore:removed")
            new = [change for change in changes if change.oid is not None]
            for_each(new, lambda change: self._replace(folder, place, scratch, change))

    def _replace(self, folder: int, place: str, scratch: str, change: PathChange) -> None:
        """Put an object into the place of what is there (which is known to be safe)."""
        try:
            self._replace_from(scratch, folder, change)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # One device may be mounted in two places; renaming between them fails all the same.
            with scratch_for(folder, place, ()) as near:
                self._replace_from(near, folder, change)

    def _replace_from(self, scratch: str, folder: int, change: PathChange) -> None:
        temp = temp_path(scratch)
        try:
            self._write(change.oid or "", change.mode, temp, _denied_before(change))
            crash_points.point("restore:written")
            _refuse_stranger(folder, change)
            _swap(temp, folder, change.name)
        except BaseException:
            remove(temp)
            raise
        crash_points.point("restore:renamed")

    def _write(self, oid: str, mode: int, target: str, narrow: int = 0) -> None:
        """Make the new file, link or directory `target`; `narrow` are permissions that a file does not get."""
        if mode == TREE:
            files = list(self._make_folders(oid, target))
            for_each(files, lambda change: self._write(change.oid or "", change.mode, change.path))
        elif mode == SYMLINK:
            os.symlink(self.small.blob(oid), os.fsencode(target))
        else:
            wanted = 0o777 if mode == EXECUTABLE else 0o666
            self._write_file(oid, target, wanted & ~(narrow | self.narrow.of(oid)))

    def _make_folders(self, tree: str, target: str) -> Iterator[PathChange]:
        """Make a directory with all below it, and name the files that belong there."""
        os.mkdir(target, 0o777 & ~self.narrow.of(tree))
        for name, entry in self._entries(tree).items():
            if entry.mode == TREE:
                yield from self._make_folders(entry.oid, f"{target}/{name}")
            else:
                yield PathChange(f"{target}/{name}", entry.oid, entry.mode, None)

    def _write_file(self, oid: str, target: str, mode: int) -> None:
        data = self.small.blob(oid)
        pointer = parse_pointer(data)
        if pointer is not None:
            executable = bool(mode & 0o100)
            self.large.place(pointer, target, executable=executable, stamp=self.stamp, narrow=denied(mode))
            return
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


def _denied_before(change: PathChange) -> int:
    """The permissions that the file which is replaced does not have, and what comes into its place does not get."""
    was = change.was
    return denied(was.stat.st_mode) if isinstance(was, FileNode) and was.mode != SYMLINK else 0


def _refuse_stranger(folder: int, change: PathChange) -> None:
    """What is about to go must be what was looked at: somebody may have written there meanwhile."""
    if isinstance(change.was, DirectoryNode):
        return
    stat = look(folder, change.name)
    if stat is None:
        return
    if change.was is None or FileNode(change.path, "", 0, stat).row[2:] != change.was.row[2:]:
        raise InputError(f"{change.path} changed while it was being replaced", hint="Run the command again.")


def _swap(temp: str, folder: int, name: str) -> None:
    """Rename into place; a directory cannot be renamed over, so it steps aside first."""
    try:
        os.replace(temp, name, dst_dir_fd=folder)
        return
    except OSError as error:
        if error.errno == errno.EXDEV or look(folder, name) is None:
            raise
    aside = temp_path(os.path.dirname(temp))
    os.rename(name, aside, src_dir_fd=folder)
    try:
        crash_points.point("restore:aside")
        os.replace(temp, name, dst_dir_fd=folder)
    except OSError:
        os.rename(aside, name, dst_dir_fd=folder)
        raise
    remove(aside)


def _trust(tree: str) -> bool:
    return True


def _ignore(*_: object) -> None:
    return None
