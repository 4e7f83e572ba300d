"""Folders below a root, opened component by component: no symlink on the way is followed, whoever puts it there."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager

from pivot.errors import StoreError, UnsafePath
from pivot.files import temp_path
from pivot.git.safe_path import is_safe_path

# With O_PATH a folder that may be searched and not listed can be opened too; macOS has no such flag.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_BY_DESCRIPTOR = "/proc/self/fd"


def check_relative(path: str) -> None:
    """Refuse a path that is not below its root, or that names Git's own folder.

    Raises:
        UnsafePath.
    """
    if not is_safe_path(path):
        raise UnsafePath(f"{path!r} leads out of the work tree or into Git's own folder")


@contextmanager
def open_below(root: str, folder: str, *, make: bool = False) -> Iterator[int]:
    """A descriptor of a folder below `root` ("": the root), for the `dir_fd` arguments of the `os` module.

    What is done through the descriptor is done in this very folder, even if its path has become a symlink meanwhile.
    With `make` folders that are not there are made.

    Raises:
        UnsafePath: a folder on the way is a symlink, or the path leads elsewhere.
        StoreError: a file is in the way.
        FileNotFoundError: a folder is not there.
    """
    if folder:
        check_relative(folder)
    held = os.open(root, _FOLDER)
    try:
        parts = folder.split("/") if folder else []
        for at, part in enumerate(parts):
            inner = _enter(held, part, "/".join(parts[: at + 1]), make=make)
            os.close(held)
            held = inner
        yield held
    finally:
        os.close(held)


def _enter(held: int, name: str, path: str, *, make: bool) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=held)
    except FileNotFoundError:
        if not make:
            raise
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        raise _in_the_way(held, name, path) from None
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=held)
    return _enter(held, name, path, make=False)


def _in_the_way(held: int, name: str, path: str) -> StoreError:
    stat = look(held, name)
    if stat is None or modes.S_ISLNK(stat.st_mode):
        hint = f"Remove the symlink {path}, or restore the file elsewhere with `git pivot get REV PATH -o FILE`."
        return UnsafePath(f"it would be written through the symlink {path}", hint=hint)
    return StoreError(f"{path} is a file, and an output belongs below it", hint=f"Move {path} away, and run again.")


def look(folder: int, name: str) -> os.stat_result | None:
    """What is at a name in an open folder, a symlink as such; None if nothing is there."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def remove_in(folder: int, name: str) -> None:
    """Remove a file, a symlink or a whole directory from an open folder, if it is there."""
    stat = look(folder, name)
    if stat is not None and modes.S_ISDIR(stat.st_mode):
        shutil.rmtree(name, dir_fd=folder)
    elif stat is not None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


@contextmanager
def scratch_for(folder: int, path: str, candidates: tuple[str, ...]) -> Iterator[str]:
    """The first of our own folders from which one can rename into an open folder; else a new one in it.

    The new folder is gone afterwards. `path` is that of the open folder.
    """
    device = os.fstat(folder).st_dev
    for candidate in candidates:
        if os.path.isdir(candidate) and os.stat(candidate).st_dev == device and os.access(candidate, os.W_OK | os.X_OK):
            yield candidate
            return
    name = os.path.basename(temp_path(path))
    os.mkdir(name, 0o700, dir_fd=folder)
    try:
        # Through the descriptor where the system has such paths: `path` may have become a symlink.
        inside = f"{_BY_DESCRIPTOR}/{folder}"
        yield f"{inside if os.path.isdir(inside) else path}/{name}"
    finally:
        shutil.rmtree(name, dir_fd=folder)
