"""Bringing bytes from one place to another: reflink, hard link, or copy."""

from __future__ import annotations

import errno
import fcntl
import os
import stat as modes
import sys
from collections.abc import Callable, Iterator

from pivot.errors import SettingError
from pivot.files import NO_ROOM

MODES = ("auto", "reflink", "hardlink", "copy")
BLOCK = 4 << 20
_FICLONE = 0x40049409  # Linux: share the extents of another file


def check_mode(mode: str) -> str:
    """Refuse a link mode that does not exist."""
    if mode not in MODES:
        raise SettingError(f"pivot.link is {mode!r}; it may be {', '.join(MODES)}", hint="git config pivot.link auto")
    return mode


def reflink(source: int, target: str, mode: int = 0o666) -> bool:
    """Make a new file `target` that shares the bytes of the open file `source`; False where that cannot be done."""
    if sys.platform == "darwin":
        return _clone_on_mac(source, target, mode)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        fcntl.ioctl(descriptor, _FICLONE, source)
        return True
    except OSError as error:
        os.unlink(target)
        if error.errno in (*NO_ROOM, errno.EIO):
            raise
        return False
    finally:
        os.close(descriptor)


def hard_link(source: str, target: str) -> bool:
    """Give a file a second name; False where the file system or the kernel's rules do not allow it."""
    try:
        os.link(source, target, follow_symlinks=False)
        return True
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS):
            return False
        raise


def copy(source: int, target: str, update: Callable[[memoryview], object], mode: int = 0o666) -> int:
    """Copy an open file to the new file `target`, handing each block to `update`; holes stay holes. Returns bytes."""
    stat = os.fstat(source)
    is_sparse = stat.st_blocks * 512 < stat.st_size
    zeros = bytes(BLOCK) if is_sparse else b""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        size = 0
        for block in blocks(source):
            update(block)
            if not (is_sparse and block == zeros[: len(block)]):
                _write_at(descriptor, block, size)
            size += len(block)
        os.ftruncate(descriptor, size)
        return size
    finally:
        os.close(descriptor)


def blocks(source: int) -> Iterator[memoryview]:
    """The bytes of an open file, in one buffer that is used again: constant memory, and no mapping to fault in."""
    buffer = bytearray(min(BLOCK, max(os.fstat(source).st_size, 1)))
    view = memoryview(buffer)
    at = 0
    while count := os.preadv(source, [buffer], at):
        yield view[:count]
        at += count


def may_write_anyway(path: str) -> bool:
    """Can this process write to a file whose permissions forbid it, as root can?"""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _write_at(descriptor: int, block: memoryview, at: int) -> None:
    while block:
        written = os.pwrite(descriptor, block, at)
        block, at = block[written:], at + written


def _clone_on_mac(source: int, target: str, mode: int) -> bool:
    import ctypes

    system = ctypes.CDLL(None, use_errno=True)
    at_current_folder = -2
    if system.fclonefileat(source, at_current_folder, os.fsencode(target), 0) != 0:
        return False
    os.chmod(target, modes.S_IMODE(os.lstat(target).st_mode) & mode)  # a clone has the permissions of its source
    return True
