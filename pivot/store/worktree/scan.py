"""Looking at files in the work tree: which bytes need reading, and what a directory's tree is.

A directory is walked first (names and stat data), then what the stat cache does not know is read, then trees are made
from the bottom up. An unchanged directory is recognised by one comparison.
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from pivot.errors import InputError, UnsafePath
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE, TreeEntry
from pivot.git.output_tree import encode_tree
from pivot.git.safe_path import names_git_folder
from pivot.store.odb.objects import MOST_DEPTH, Object, object_id
from pivot.store.odb.stat_cache import NEVER, StatCache, is_racy, pack_rows, unpack_rows

Row = tuple[str, int, int, int, int, int]  # name, Git mode, mtime ns, ctime ns, size, inode


class FileNode(Struct):
    """A file or symlink in a scan. `oid` is filled in by whoever reads it; `read_at` is when that began (0: cached)."""

    path: str
    name: str
    mode: int
    stat: os.stat_result
    oid: str | None = None
    read_at: int = 0

    @property
    def row(self) -> Row:
        s = self.stat
        return self.name, self.mode, s.st_mtime_ns, s.st_ctime_ns, s.st_size, s.st_ino


class DirectoryNode(Struct):
    """A directory in a scan. Where `tree` is known from the stat cache, `files` is left empty."""

    path: str
    name: str
    files: list[FileNode] = field(default_factory=list)
    folders: list[DirectoryNode] = field(default_factory=list)
    tree: str | None = None
    size: int = 0

    def walk(self) -> Iterator[FileNode]:
        """The files that are not settled by a known tree, at every depth."""
        yield from self.files
        for folder in self.folders:
            yield from folder.walk()


class Scanner(Struct, frozen=True):
    """Scans with one stat cache. `trusts` says whether a tree known from there needs no further look."""

    stats: StatCache
    trusts: Callable[[str], bool]

    def directory(self, path: str, name: str = "", depth: int = 0) -> DirectoryNode:
        """Scan a directory.

        Raises:
            UnsafePath: it holds `.git` in some spelling, or what is neither file, directory nor symlink.
            InputError: it cannot be read, or changes meanwhile.
        """
        if depth >= MOST_DEPTH:
            hint = "An output has files at fewer levels: pack them into an archive, or shorten the paths."
            raise UnsafePath(f"more than {MOST_DEPTH} directories in each other", where=path, hint=hint)
        try:
            found, folder_names = _list(path)
        except OSError as error:
            raise unreadable(path, error) from error
        folders = [self.directory(f"{path}/{folder}", folder, depth + 1) for folder in folder_names]
        node = DirectoryNode(path, name, folders=folders)
        known = self.stats.level(path)
        if known is not None and self._is_unchanged(node, found, known):
            node.tree, node.size = known[2], known[3]
            return node
        _refuse_git_names(path, [*(row[0] for row, _ in found), *folder_names])
        ids = _known_ids(known[0], known[1]) if known is not None else {}
        node.files = [FileNode(f"{path}/{row[0]}", row[0], row[1], stat, ids.get(row)) for row, stat in found]
        return node

    def _is_unchanged(
        self, node: DirectoryNode, found: list[tuple[Row, os.stat_result]], known: tuple[bytes, bytes, str, int]
    ) -> bool:
        if any(folder.tree is None for folder in node.folders):
            return False
        rows, ids, tree, _ = known
        names = [folder.name for folder in node.folders]
        below = b"".join(bytes.fromhex(folder.tree or "") for folder in node.folders)
        return rows == _packed([row for row, _ in found], names) and ids.endswith(below) and self.trusts(tree)

    def finish(self, node: DirectoryNode, keep: Callable[[str, bytes], object]) -> Object:
        """The object that a directory is, all its files having ids; `keep` gets the id and bytes of each new tree."""
        if node.tree is None:
            below = [self.finish(folder, keep) for folder in node.folders]
            entries = [TreeEntry(file.name, file.mode, file.oid or "") for file in node.files]
            entries += [TreeEntry(folder.name, TREE, held.id) for folder, held in zip(node.folders, below, strict=True)]
            data = encode_tree(entries)
            node.tree = object_id(b"tree", data)
            node.size = sum(file.stat.st_size for file in node.files) + sum(held.size for held in below)
            keep(node.tree, data)
            self._remember(node)
        return Object(node.tree, TREE, node.size)

    def _remember(self, node: DirectoryNode) -> None:
        rows = [_without_time(file) if _is_unsure(file) else file.row for file in node.files]
        ids = b"".join(bytes.fromhex(file.oid or "") for file in node.files)
        below = b"".join(bytes.fromhex(folder.tree or "") for folder in node.folders)
        packed = _packed(rows, [folder.name for folder in node.folders])
        self.stats.remember_level(node.path, (packed, ids + below, node.tree or "", node.size))


def unreadable(path: str, error: OSError) -> InputError:
    """An input that cannot be read, in the words of the system."""
    return InputError(f"{path} cannot be read: {error.strerror or error}", where=path)


def _list(path: str) -> tuple[list[tuple[Row, os.stat_result]], list[str]]:
    """The files with their rows, and the names of the directories, each sorted."""
    found: list[tuple[Row, os.stat_result]] = []
    folders: list[str] = []
    with os.scandir(path) as entries:
        for entry in entries:
            stat = entry.stat(follow_symlinks=False)
            if modes.S_ISDIR(stat.st_mode):
                folders.append(entry.name)
                continue
            mode = mode_of(stat, entry.path)
            row = (entry.name, mode, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            found.append((row, stat))
    found.sort(key=lambda item: item[0])
    folders.sort()
    return found, folders


def mode_of(stat: os.stat_result, path: str) -> int:
    """The Git mode of a file or symlink; `UnsafePath` for anything else."""
    kind = modes.S_IFMT(stat.st_mode)
    if kind == modes.S_IFREG:
        return EXECUTABLE if stat.st_mode & 0o100 else BLOB
    if kind == modes.S_IFLNK:
        return SYMLINK
    raise UnsafePath("this is neither a file, a directory nor a symlink", where=path, hint=f"Remove {path}.")


def _refuse_git_names(path: str, names: list[str]) -> None:
    for name in names:
        if names_git_folder(name):
            raise UnsafePath("an output may not contain `.git`, in any spelling", where=f"{path}/{name}")


def _packed(rows: list[Row], folders: list[str]) -> bytes:
    return pack_rows([*rows, *((name, TREE, 0, 0, 0, 0) for name in folders)])


def _known_ids(rows: bytes, ids: bytes) -> dict[Row, str]:
    return {row: ids[20 * at : 20 * at + 20].hex() for at, row in enumerate(unpack_rows(rows))}


def _is_unsure(file: FileNode) -> bool:
    return file.read_at != 0 and is_racy(file.stat, file.read_at)


def _without_time(file: FileNode) -> Row:
    row = file.row
    return (*row[:2], NEVER, *row[3:])
