"""What stands at a path of the work tree now, with ids."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator

from pivot.errors import InputError
from pivot.git.odb.backend import SYMLINK, TREE
from pivot.store.odb.objects import Object
from pivot.store.odb.stat_cache import StatCache
from pivot.store.worktree.ingest import Hash, take_all
from pivot.store.worktree.scan import DirectoryNode, FileNode, Scanner, mode_of, unreadable

Node = FileNode | DirectoryNode


def look(path: str, scanner: Scanner, *, follow: bool) -> Node:
    """The file or directory that a path names; a symlink counts as what it points to if it is to be followed.

    Raises:
        InputError: nothing is there, or it cannot be read.
    """
    try:
        stat = os.stat(path, follow_symlinks=follow)
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there", where=path) from error
    except OSError as error:
        raise unreadable(path, error) from error
    if modes.S_ISDIR(stat.st_mode):
        return scanner.directory(path)
    real = os.path.realpath(path) if follow and os.path.islink(path) else path
    return FileNode(real, os.path.basename(path), mode_of(stat, path), stat)


def identify(path: str, stats: StatCache, *, follow: bool) -> Object:
    """What the file or directory at `path` is, through the stat cache."""
    scanner = Scanner(stats, _trust)
    node = look(path, scanner, follow=follow)
    if isinstance(node, DirectoryNode):
        return settle(node, scanner)
    recall(node, stats)
    return Object(node.oid or "", node.mode, node.stat.st_size)


def standing(path: str, stats: StatCache) -> Node | None:
    """What stands at a path, a symlink as such, every file of a directory with its id; None where there is nothing."""
    try:
        stat = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not modes.S_ISDIR(stat.st_mode):
        node = FileNode(path, os.path.basename(path), mode_of(stat, path), stat)
        recall(node, stats)
        return node
    scanner = Scanner(stats, _distrust)
    directory = scanner.directory(path)
    settle(directory, scanner)
    return directory


def settle(node: DirectoryNode, scanner: Scanner) -> Object:
    """Read what the stat cache did not know, and make the trees."""
    take_all([file for file in node.walk() if file.oid is None], Hash(), _ignore)
    return scanner.finish(node, _ignore)


def recall(node: FileNode, stats: StatCache) -> None:
    """Fill in the id of a single file."""
    if node.mode == SYMLINK:
        Hash()(node)
        return
    node.oid = stats.lookup(node.path, node.stat)
    if node.oid is None:
        Hash()(node)
        stats.remember(node.path, node.stat, node.oid or "", node.read_at)


def object_at(node: Node) -> Object:
    """The object that a settled node is."""
    if isinstance(node, DirectoryNode):
        return Object(node.tree or "", TREE, node.size)
    return Object(node.oid or "", node.mode, node.stat.st_size)


def permissions(node: Node) -> Iterator[tuple[str, int]]:
    """Ids and permissions of what was found by a scan: files, and the directories that they are in."""
    if isinstance(node, FileNode):
        if node.mode != SYMLINK and node.stat.st_size:
            yield node.oid or "", node.stat.st_mode
        return
    yield node.tree or "", os.lstat(node.path).st_mode
    for file in node.files:
        yield from permissions(file)
    for folder in node.folders:
        yield from permissions(folder)


def files_of(node: Node | None) -> list[FileNode]:
    if node is None:
        return []
    return list(node.walk()) if isinstance(node, DirectoryNode) else [node]


def _trust(tree: str) -> bool:
    return True


def _distrust(tree: str) -> bool:
    return False


def _ignore(*_: object) -> None:
    return None
