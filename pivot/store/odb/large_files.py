"""Large files: their bytes as they are, in `large/ab/<62 hex>`, named by BLAKE3.

A large file is read-only, and *sealed*: the microseconds of its mtime are made from its name. Whoever writes to it, say
through a hard link in the work tree and against its permissions, breaks the seal; its bytes are then hashed before it
is used again. So a check costs one `stat`, and needs no list that could be wrong.
"""

from __future__ import annotations

import os
import stat as modes
import time
from collections.abc import Callable
from typing import Any

from pivot.errors import DamagedObject, InputError, MissingObject
from pivot.files import fsync_dir, remove_quietly, temp_path
from pivot.store.odb import crash_points, links
from pivot.store.odb.layout import is_shared, make_folder, protect
from pivot.store.odb.narrow import denied
from pivot.store.odb.objects import Pointer
from pivot.store.odb.stat_cache import FINE_TICK, is_racy

_TICK_FROM = 8 << 20  # bytes; from here on waiting one tick is cheaper than hashing again


class LargeFiles:
    """The large files of one store. `keep_pointer` writes a pointer's blob into the store.

    What is not here is looked for in `base`, the large files of a store that is only read.
    """

    def __init__(self, store: str, link: str, keep_pointer: Callable[[Pointer], object], base: str = "") -> None:
        self._store = store
        self._folder = f"{store}/large"
        self._temp = f"{store}/tmp"
        self._link = links.check_mode(link)
        self._keep_pointer = keep_pointer
        self._base = base

    def path(self, name: str) -> str:
        own = self._own(name)
        return f"{self._base}/{name[:2]}/{name[2:]}" if self._base and not os.path.exists(own) else own

    def _own(self, name: str) -> str:
        return f"{self._folder}/{name[:2]}/{name[2:]}"

    def has(self, pointer: Pointer) -> bool:
        """Is it here, with the right bytes as far as size and seal tell? A broken seal is looked into."""
        try:
            stat = os.lstat(self.path(pointer.blake3))
        except FileNotFoundError:
            return False
        if stat.st_size == pointer.size and is_sealed(stat, pointer.blake3):
            return True
        return self._examine(pointer)

    def put(self, path: str, source: int) -> Pointer:
        """Store an open file (`path` is where it stands), by reflink, hard link or copy.

        Raises:
            InputError: it changed while it was read.
        """
        before = _stable_stat(source)
        temp = temp_path(self._temp)
        try:
            name = self._bring(path, source, temp)
            pointer = Pointer(name, before.st_size)
            crash_points.point("large:staged")
            _refuse_change(path, before, source, name)
            if not self.has(pointer):
                protect(self._store, temp)
                _refuse_change(path, before, source, name)  # sealing hides the trace of a write before it
                self._publish(temp, pointer)
            return pointer
        finally:
            remove_quietly(temp)

    def place(self, pointer: Pointer, target: str, *, executable: bool, stamp: int, narrow: int = 0) -> None:
        """Make the new file `target` in the work tree, by reflink, hard link (then read-only) or copy.

        `stamp` (ns) becomes the mtime, except of a hard link. `narrow` are permissions that it does not get; a link
        would have those of the store.

        Raises:
            MissingObject: the store does not have it.
            DamagedObject: the bytes turned out wrong; they are out of the way now.
        """
        if not self.has(pointer):
            raise MissingObject(f"the store does not have large file {pointer.blake3}", hint="git pivot pull")
        path = self.path(pointer.blake3)
        linkable = not executable and not narrow and self._may_hard_link(path)
        if linkable and self._link == "hardlink" and links.hard_link(path, target):
            return
        with open(path, "rb", buffering=0) as file:
            if self._link in ("auto", "reflink") and links.reflink(file.fileno(), target, 0o666 & ~narrow):
                if executable:
                    _add_executable(target)
            elif linkable and links.hard_link(path, target):
                return
            else:
                self._copy_out(pointer, file.fileno(), target, (0o777 if executable else 0o666) & ~narrow)
        os.utime(target, ns=(stamp, stamp))

    def verify(self, pointer: Pointer) -> str | None:
        """`missing`, `damaged` or None, by reading all bytes; damaged ones are out of the way then."""
        try:
            with open(self.path(pointer.blake3), "rb", buffering=0) as file:
                sound = digest(file.fileno()) == pointer.blake3
        except FileNotFoundError:
            return "missing"
        if not sound:
            self._examine(pointer)
        return None if sound else "damaged"

    def take(self, temp: str, pointer: Pointer) -> None:
        """Store a file of the store's own file system whose bytes have been checked; it goes away from where it is."""
        protect(self._store, temp)
        self._publish(temp, pointer)

    def _bring(self, path: str, source: int, temp: str) -> str:
        """Make `temp` hold the bytes of `source`; their BLAKE3."""
        if self._link in ("auto", "reflink") and links.reflink(source, temp):
            # The clone cannot change any more, so it is what gets hashed.
            with open(temp, "rb", buffering=0) as file:
                return digest(file.fileno())
        before = os.fstat(source)
        wants_link = self._link in ("auto", "hardlink") and not before.st_mode & 0o111
        if is_shared(self._store) and denied(before.st_mode) & 0o070:
            wants_link = False  # the group may read what is in the store, and not the file in the work tree
        if wants_link and links.hard_link(path, temp):
            if self._is_same_file(before, temp) and (self._link == "hardlink" or self._protects(temp)):
                return digest(source)
            os.unlink(temp)
        hasher = _hasher()
        links.copy(source, temp, hasher.update)
        return str(hasher.hexdigest())

    def _publish(self, temp: str, pointer: Pointer) -> None:
        final = self._own(pointer.blake3)
        make_folder(self._store, os.path.dirname(final))
        seal(temp, pointer.blake3)
        crash_points.point("large:sealed")
        _sync(temp)
        os.replace(temp, final)
        crash_points.point("large:renamed")
        fsync_dir(os.path.dirname(final))

    def _may_hard_link(self, path: str) -> bool:
        return self._link == "hardlink" or (self._link == "auto" and not links.may_write_anyway(path))

    @staticmethod
    def _is_same_file(before: os.stat_result, temp: str) -> bool:
        now = os.lstat(temp)
        return (now.st_ino, now.st_size, now.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)

    @staticmethod
    def _protects(temp: str) -> bool:
        """Would read-only permissions hold against this user? They do not for root, nor on some file systems."""
        mode = modes.S_IMODE(os.lstat(temp).st_mode)
        os.chmod(temp, mode & 0o444)
        held = not links.may_write_anyway(temp)
        os.chmod(temp, mode)
        return held

    def _copy_out(self, pointer: Pointer, source: int, target: str, mode: int) -> None:
        hasher = _hasher()
        links.copy(source, target, hasher.update, mode)
        if hasher.hexdigest() != pointer.blake3:
            os.unlink(target)
            self._examine(pointer)
            raise DamagedObject(f"large file {pointer.blake3} in the store has other bytes", hint="git pivot fsck")

    def _examine(self, pointer: Pointer) -> bool:
        """Hash a file whose seal is broken: seal it again, or move it to the name that its bytes have now."""
        path = self.path(pointer.blake3)
        with open(path, "rb", buffering=0) as file:
            actual = Pointer(digest(file.fileno()), os.fstat(file.fileno()).st_size)
        try:
            if actual == pointer:
                seal(path, pointer.blake3)
                return True
            self._displace(path, actual)
        except OSError:
            return actual == pointer  # a store that may only be read: the answer stands without the mending
        return False

    def _displace(self, path: str, actual: Pointer) -> None:
        """Bytes that somebody wrote into the store are somebody's edit: they get a name of their own."""
        final = self._own(actual.blake3)
        make_folder(self._store, os.path.dirname(final))
        protect(self._store, path)
        seal(path, actual.blake3)
        self._keep_pointer(actual)  # first: whoever is killed in between finds the broken seal again
        crash_points.point("large:pointed")
        os.replace(path, final)
        crash_points.point("large:displaced")


def seal(path: str, name: str) -> None:
    """Make the microseconds of the mtime say the name; the time moves back by less than a second."""
    now = os.lstat(path)
    mark = _mark(name)
    second = now.st_mtime_ns // 1_000_000_000 * 1_000_000_000
    if second + mark > now.st_mtime_ns:
        second -= 1_000_000_000
    os.utime(path, ns=(now.st_atime_ns, second + mark))


def seal_time(name: str) -> str:
    """A time that seals a file of this name, as `touch -d` understands it."""
    return f"@{int(time.time()) - 1}.{_mark(name):09}"


def is_sealed(stat: os.stat_result, name: str) -> bool:
    return stat.st_mtime_ns % 1_000_000_000 == _mark(name)


def digest(descriptor: int) -> str:
    """The BLAKE3 of an open file."""
    hasher = _hasher()
    for block in links.blocks(descriptor):
        hasher.update(block)
    return str(hasher.hexdigest())


def _mark(name: str) -> int:
    return int(name[:12], 16) % 1_000_000 * 1000


def _hasher() -> Any:
    """One thread: BLAKE3's own pool of threads does not survive a fork, and a stage that hashes would wait for ever."""
    from blake3 import blake3

    return blake3(max_threads=1)


def _stable_stat(source: int) -> os.stat_result:
    """Let the clock tick once after the last write, so that a later write leaves a trace."""
    stat = os.fstat(source)
    age = time.time_ns() - stat.st_mtime_ns
    if stat.st_size >= _TICK_FROM and 0 <= age < FINE_TICK and is_racy(stat, time.time_ns()):
        time.sleep(FINE_TICK / 1e9)
    return stat


def is_change(before: os.stat_result, after: os.stat_result, name: str) -> bool:
    """Was it written to? A new ctime alone means a link more or less; a seal, that another command stored it too."""
    same_time = before.st_mtime_ns == after.st_mtime_ns or (bool(name) and is_sealed(after, name))
    return (before.st_ino, before.st_size) != (after.st_ino, after.st_size) or not same_time


def _refuse_change(path: str, before: os.stat_result, source: int, name: str) -> None:
    if is_change(before, os.fstat(source), name):
        raise InputError(f"{path} changed while it was being read", hint="Run again when nothing writes to it.")


def _add_executable(path: str) -> None:
    """The executable bits that the umask lets a new file have are those of its read bits."""
    mode = modes.S_IMODE(os.lstat(path).st_mode)
    os.chmod(path, mode | (mode & 0o444) >> 2)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
