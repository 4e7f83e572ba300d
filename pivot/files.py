"""Files on disk: atomic writes, temporary names, and locks.

A temporary file is called `.pivot-tmp-<pid>-<8 hex>`; whoever finds an old one may remove it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self

from pivot.errors import LockTimeout, ProjectError

TEMP_PREFIX = ".pivot-tmp-"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a full disk, a used-up quota, `ulimit -f`


def temp_path(folder: str | Path) -> str:
    """A new name in `folder` for a file that will be renamed or removed."""
    return f"{os.fspath(folder)}/{TEMP_PREFIX}{os.getpid()}-{os.urandom(4).hex()}"


def write_atomic(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a whole file so that every reader sees the old bytes or the new ones; makes missing folders.

    `durable` also survives a power failure, for the price of two fsyncs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = temp_path(path.parent)
    try:
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        replace_file(temp, path, durable=durable)
    except BaseException:
        remove_quietly(temp)
        raise


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """`os.write` until all is written; a signal or a nearly full disk may shorten a single call."""
    written = os.write(descriptor, data)
    if written == len(data):
        return
    view = memoryview(data)
    while written < len(view):
        written += os.write(descriptor, view[written:])


def replace_file(source: str | Path, target: str | Path, *, durable: bool = False) -> None:
    """Rename over `target`; with `durable` the folder is synced too."""
    os.replace(source, target)
    if durable:
        fsync_dir(os.path.dirname(target) or ".")


def fsync_dir(folder: str | Path) -> None:
    """Make renames in a folder survive a power failure; silent where the file system cannot sync a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def remove_quietly(path: str | Path) -> None:
    """Remove a file if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


class FileLock:
    """An exclusive lock between commands. The kernel frees it when its holder dies, `kill -9` included.

    The file stays behind, with who took it last; only the kernel's lock counts.
    """

    def __init__(self, path: Path, holder: str) -> None:
        self.path = path
        self.holder = holder
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def taken_since(self) -> float | None:
        """Since when (seconds since the epoch) another command has it; None when none does."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            # Shared and for an instant only: a command that begins right now waits some milliseconds at most.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
        return None

    def acquire(self, timeout: float = 0.0) -> None:
        """Take the lock, waiting up to `timeout` seconds.

        Raises:
            LockTimeout: somebody else has it; the message says who, by process id, command and time.
            ProjectError: a folder stands at its place.
        """
        if self.held:
            raise RuntimeError(f"{self.path} is already locked by this object")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except IsADirectoryError as error:
            hint = "Move it away, and give the command again."
            raise ProjectError("a folder stands where a file is to be", where=str(self.path), hint=hint) from error
        try:
            self._wait(descriptor, time.monotonic() + timeout)
            with contextlib.suppress(OSError):  # a full disk: the lock is the kernel's, the text only says whose
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, self._description(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _forget_in_children(self)

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _wait(self, descriptor: int, deadline: float) -> None:
        pause = 0.005
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                left = deadline - time.monotonic()
            if left <= 0:
                raise self._refusal()
            time.sleep(min(pause, left))
            pause = min(pause * 2, 0.1)

    def _description(self) -> bytes:
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        return f"{os.getpid()}\n{' '.join(self.holder.split())}\n{since}\n".encode("utf-8", "surrogateescape")

    def _refusal(self) -> LockTimeout:
        fields = self.path.read_bytes().decode("utf-8", "surrogateescape").splitlines()
        if len(fields) != 3:
            return LockTimeout("another command holds the lock", where=str(self.path), hint="Try again in a moment.")
        pid, command, since = fields
        return LockTimeout(
            f"process {pid} ({command}) has held the lock since {since}",
            where=str(self.path),
            hint=f"Wait for it, or end it with `kill {pid}`.",
        )

    def __enter__(self) -> Self:
        if not self.held:
            self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _forget_in_children(lock: FileLock) -> None:
    """A forked child shares the lock through the descriptor and would keep it when its parent dies: close it."""
    reference = weakref.ref(lock)

    def close() -> None:
        held = reference()
        if held is not None:
            held.release()

    os.register_at_fork(after_in_child=close)
