"""The folders of a store on the disk: made all at once, with the permissions that a shared store needs.

A store is shared by a group when its folder is writable by the group, as `git init --bare --shared` leaves it. Whatever
the umask, its folders are then writable and its files readable by the group.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat as modes
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pivot.errors import StoreError
from pivot.files import TEMP_PREFIX, remove_quietly, temp_path
from pivot.store.odb.store_format import FILE, LINE, Kind, is_precious, recognise

# `preciousObjects` keeps `git gc`, `git prune` and `git repack -d` from removing what no ref names: nothing has a ref.
CONFIG = """[core]
\trepositoryformatversion = 1
\tbare = true
\tlogAllRefUpdates = false
[extensions]
\tpreciousObjects = true
[gc]
\tauto = 0
\tpruneExpire = never
"""
_HEAD = "ref: refs/heads/main\n"
_FOLDERS = ("objects/pack", "objects/info", "refs/heads", "large", "tmp")
_MENDS = {
    errno.ENOSPC: "Make room on the disk (`git pivot gc`), and run again.",
    errno.EDQUOT: "Make room in your quota (`git pivot gc`), and run again.",
    errno.EFBIG: "Raise the limit on the size of files (`ulimit -f`), and run again.",
    errno.EACCES: "Ask its owner for write permission, or choose another store with `git config pivot.store PATH`.",
    errno.EROFS: "Choose another store with `git config pivot.store PATH`.",
}
IN_WORK_TREE = {**_MENDS, errno.EACCES: "Make it writable, and run again.", errno.EROFS: None}
RECENT, KEPT = "recent", "kept"  # folders of marks
LIST = "list-"  # how the name of a list of marks begins, as pushers leave them
LARGE_MARK = "large"  # what stands for a mode in the mark of a large file
_OLD = 86_400  # seconds; a temporary file of that age belongs to no living command


def create(store: str, permissions: int | None = None) -> None:
    """Make an empty store unless there is one; in one that `git init` made, or that lost parts, what it lacks.

    `permissions` are those of the folders of a new one; without them, the umask decides.

    Raises:
        StoreError: something else is there.
    """
    if os.path.isdir(store):
        _complete(store)
        return
    parent = os.path.dirname(store)
    os.makedirs(parent, exist_ok=True)
    temp = temp_path(parent)
    try:
        for folder in _FOLDERS:
            os.makedirs(f"{temp}/{folder}")
        if permissions is not None:
            for place, _, _ in os.walk(temp):
                os.chmod(place, permissions)
        _write(f"{temp}/HEAD", _HEAD)
        _write(f"{temp}/config", CONFIG)
        _write(f"{temp}/{FILE}", f"{LINE}\n")
        os.rename(temp, store)
    except OSError:
        remove(temp)
        if not os.path.isdir(store):
            raise
        _complete(store)


def _complete(store: str) -> None:
    """Give a store what it lacks, its mark first.

    Raises:
        StoreError: it is none.
    """
    if recognise(store) is not Kind.MARKED:
        _mark_as_store(store)
    for folder in _FOLDERS:
        make_folder(store, f"{store}/{folder}")
    if not os.path.exists(f"{store}/HEAD"):
        _write(f"{store}/HEAD", _HEAD)
    if not os.path.exists(f"{store}/config"):
        _write(f"{store}/config", CONFIG)


def _mark_as_store(store: str) -> None:
    """Write the mark, and tell Git to keep what no ref names in a repository that it made itself."""
    temp = temp_path(store)
    try:
        _write(temp, f"{LINE}\n")
        protect(store, temp)
        os.replace(temp, f"{store}/{FILE}")
    except BaseException:
        remove_quietly(temp)
        raise
    path = f"{store}/config"
    if os.path.exists(path):
        with open(path, "r+", encoding="utf-8", errors="surrogateescape") as file:
            if not is_precious(file.read()):
                file.write(CONFIG)


def make_folder(store: str, folder: str) -> None:
    """Make a folder of the store unless it is there."""
    if os.path.isdir(folder):
        return
    os.makedirs(folder, exist_ok=True)
    if is_shared(store):
        os.chmod(folder, modes.S_IMODE(os.stat(folder).st_mode) | modes.S_ISGID | 0o070)


def protect(store: str, path: str) -> None:
    """Make a new file of the store read-only, for the group too where the store is shared."""
    mode = modes.S_IMODE(os.lstat(path).st_mode) & 0o444
    wanted = mode | 0o440 if is_shared(store) else mode | 0o400
    os.chmod(path, wanted)


def sweep(store: str, age: float = _OLD) -> None:
    """Remove temporary files that a killed command left behind, and nobody has written to for `age` seconds."""
    for folder in (f"{store}/tmp", store):
        sweep_folder(folder, age)


def sweep_folder(folder: str, age: float) -> None:
    """The same in one folder, which need not be there."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        path = f"{folder}/{name}"
        if name.startswith(TEMP_PREFIX) and _age(path) > age:
            remove(path)


@contextmanager
def lock_store(store: str, *, alone: bool) -> Iterator[None]:
    """Hold the store's lock, together with others or alone; waits for it."""
    _touch(store, f"{store}/lock")
    descriptor = os.open(f"{store}/lock", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def in_words(what: str, where: str, mends: Mapping[int, str | None] = _MENDS) -> Iterator[None]:
    """Say in a sentence what the system refused: a full disk, a read-only file system, missing permissions."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, FileExistsError):
            reason = f"{error.filename} is there already; some file systems take two names for one"
        raise StoreError(f"{what}: {reason}", where=where, hint=mends.get(error.errno or 0)) from error


def mark(store: str, folder: str, oid: str, mode: int) -> None:
    """Say that an object is in use, to a clean-up that comes before there is a record of it.

    `folder` is RECENT for what was just stored, KEPT for bytes that were saved from being overwritten.
    """
    make_folder(store, f"{store}/{folder}")
    path = f"{store}/{folder}/{mark_name(oid, mode)}"
    _touch(store, path)
    with suppress(PermissionError):  # another user's mark that the group may not write to
        os.utime(path)


def is_marked(store: str, folder: str, oid: str, mode: int) -> bool:
    return os.path.exists(f"{store}/{folder}/{mark_name(oid, mode)}")


def mark_name(oid: str, mode: int) -> str:
    """What the mark of an object is called."""
    return f"{mode:o}-{oid}"


def large_mark_name(blake3: str) -> str:
    """What the mark of a large file is called."""
    return f"{LARGE_MARK}-{blake3}"


def _touch(store: str, path: str) -> None:
    """Make an empty file unless it is there, for the whole group where the store is shared."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            if is_shared(store):
                os.fchmod(descriptor, 0o660)
        finally:
            os.close(descriptor)


def is_shared(store: str) -> bool:
    """May the group write to it?"""
    return bool(os.stat(store).st_mode & modes.S_IWGRP)


def remove(path: str) -> None:
    """Remove a file, a symlink or a whole directory, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil

        shutil.rmtree(path)
    else:
        remove_quietly(path)


def _age(path: str) -> float:
    try:
        return time.time() - os.lstat(path).st_ctime
    except FileNotFoundError:
        return 0.0


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
