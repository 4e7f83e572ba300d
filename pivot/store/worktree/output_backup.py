"""Outputs that step aside while a stage runs, and come back when it fails.

Where: `<pivot dir>/aside/<pid>-<8 hex>/` of a command: `lock` (held while the command lives; the kernel frees it), the
list, and the outputs under numbers; an output on another file system steps aside under a temporary name beside itself.
`list`: a line of JSON for each thing that happens: `[1, number, [[path, place, was there], ...]]` when the outputs of a
stage step aside (of two lines with one number the later holds), `[1, number, "committed"]` when the new ones stand, and
`[1, number, "back"]` when the old ones do. 1 is the version, paths are absolute.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import stat as modes
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import LockTimeout, StoreError
from pivot.files import TEMP_PREFIX, FileLock, temp_path, write_all
from pivot.store.odb import crash_points, links
from pivot.store.odb.layout import remove

VERSION = 1
_COMMITTED: Literal["committed"] = "committed"
_BACK: Literal["back"] = "back"


class BackupStep(Struct, frozen=True):
    """An output on its way aside: where it belongs, where it goes, and whether anything stood there."""

    path: str
    place: str
    present: bool


class BackupArea:
    """Where the outputs of one command stand aside: made when the first of them steps aside, gone after `close`.

    There is one for all stages of a run: a folder and a file for each cost more than all else that the command does for
    a small stage.
    """

    def __init__(self, pivot_dir: Path) -> None:
        self._folder = f"{os.path.abspath(pivot_dir)}/aside/{os.getpid()}-{os.urandom(4).hex()}"
        self._lock = FileLock(Path(f"{self._folder}/lock"), "git pivot repro")
        self._list = -1
        self._numbers = count()
        self._open: set[int] = set()
        self.was_removed = False  # by a stage, or by another program: known from `close` on

    def number(self) -> int:
        return next(self._numbers)

    def place(self) -> str:
        """A name for an output to stand under."""
        return f"{self._folder}/{next(self._numbers)}"

    def note(self, number: int, what: Sequence[BackupStep] | Literal["committed", "back"]) -> None:
        # Not durable: what steps aside is in the store already, so that a power failure costs a restore, not bytes.
        if self._list < 0:
            self._lock.acquire()
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._list = os.open(f"{self._folder}/list", flags, 0o666)
        held = what if isinstance(what, str) else [[step.path, step.place, step.present] for step in what]
        (self._open.discard if held is what else self._open.add)(number)
        write_all(self._list, json.dumps([VERSION, number, held]).encode() + b"\n")

    def close(self) -> None:
        """Whatever has neither come back nor was given up is left to `recover`."""
        if self._list >= 0:
            os.close(self._list)
            self._list = -1
            self._lock.release()
            self.was_removed = not os.path.isdir(self._folder)
            if not self._open and not self.was_removed:
                shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class OutputBackup:
    """Takes outputs out of the way of a stage, and puts them back unless `commit` is called.

    So no stage writes through a hard link, and a stage that fails leaves its outputs as they were; after `kill -9` that
    is the work of `recover`. Used as a context manager.
    """

    def __init__(self, room: BackupArea) -> None:
        self._room = room
        self._number = room.number()
        self._steps: list[BackupStep] = []

    def aside(self, paths: Sequence[Path]) -> None:
        """Move what stands at `paths` away; where nothing stands, rolling back removes what the stage made."""
        for at in self._begin(paths):
            self._move(at)

    def lend(self, paths: Sequence[Path]) -> None:
        """Like `aside`, and leave a writable copy at each path (for `IncrementalOut`)."""
        for at in self._begin(paths):
            self._move(at)
            step = self._steps[at]
            if step.present:
                private_copy(_target(step), step.path)
                crash_points.point("aside:lent")

    def commit(self) -> None:
        """The new outputs stand: forget the old ones."""
        if self._steps:
            self._room.note(self._number, _COMMITTED)
            crash_points.point("aside:committed")
            _discard(self._steps)
            self._steps = []

    def rollback(self) -> None:
        """Put the old outputs back in place of what the stage may have written."""
        if self._steps:
            for step in self._steps:
                _put_back(step, remove)
                crash_points.point("aside:restored")
            self._room.note(self._number, _BACK)
            self._steps = []

    def _begin(self, paths: Sequence[Path]) -> range:
        first = len(self._steps)
        known = {step.path for step in self._steps}
        for path in dict.fromkeys(os.path.abspath(path) for path in paths):
            if path not in known:
                self._steps.append(BackupStep(path, self._room.place(), os.path.lexists(path)))
        self._note()
        return range(first, len(self._steps))

    def _note(self) -> None:
        self._room.note(self._number, self._steps)
        crash_points.point("aside:manifest")

    def _move(self, at: int) -> None:
        step = self._steps[at]
        if not step.present:
            return
        try:
            os.rename(step.path, step.place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            beside = replace(step, place=temp_path(os.path.dirname(step.path)))
            self._steps[at] = beside
            self._note()
            os.rename(beside.path, beside.place)
        crash_points.point("aside:moved")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rollback()


def recover(pivot_dir: Path, keep: Callable[[Path], object]) -> list[Path]:
    """Put back what commands that were killed had set aside; the paths that came back.

    `keep` is called for whatever stands in the way by now, before it is removed. Call it with the lock held.
    """
    folder = f"{os.path.abspath(pivot_dir)}/aside"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    back = [path for name in names for path in _recover_one(f"{folder}/{name}", keep)]
    return [Path(path) for path in back]


def private_copy(source: str, target: str) -> None:
    """Make `target` a writable copy that shares no bytes-in-place with `source` (a reflink does not)."""
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True, copy_function=_copy_file)
        return
    _copy_file(source, target)


def _copy_file(source: str, target: str) -> None:
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    with open(source, "rb", buffering=0) as file:
        if not links.reflink(file.fileno(), target):
            links.copy(file.fileno(), target, _ignore)
        stat = os.fstat(file.fileno())
    os.chmod(target, modes.S_IMODE(stat.st_mode) | modes.S_IWUSR)
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _recover_one(folder: str, keep: Callable[[Path], object]) -> list[str]:
    lock = FileLock(Path(f"{folder}/lock"), "git pivot recover")
    try:
        lock.acquire()
    except LockTimeout:
        return []  # its command is alive
    with lock:
        steps = _read_list(f"{folder}/list")

        def make_way(path: str) -> None:
            keep(Path(path))
            remove(path)

        back = [step.path for step in steps if _put_back(step, make_way)]
        shutil.rmtree(folder)
        return back


def _sweep(path: str) -> None:
    """Remove what a stage that was killed was writing next to an output (`pivot.pipeline.save_outputs` names it)."""
    folder, name = os.path.split(path)
    unfinished = re.compile(rf"{re.escape(TEMP_PREFIX)}\d+-{re.escape(name)}")
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for found in filter(unfinished.fullmatch, os.listdir(folder)):
            remove(os.path.join(folder, found))


def _put_back(step: BackupStep, make_way: Callable[[str], None]) -> bool:
    _sweep(step.path)
    if step.present and not os.path.lexists(step.place):
        return False  # it has not left yet, or is back already
    if os.path.lexists(step.path):
        make_way(step.path)
    if step.present:
        os.makedirs(os.path.dirname(step.path), exist_ok=True)
        os.rename(step.place, step.path)
    return step.present


def _discard(steps: Sequence[BackupStep]) -> None:
    for step in steps:
        remove(step.place)


def _read_list(path: str) -> list[BackupStep]:
    """What has neither come back nor been given up; what a crash kept from being given up goes now."""
    held: dict[int, list[BackupStep]] = {}
    try:
        # A last line without its end was being written: nothing had been moved yet.
        for line in Path(path).read_bytes().split(b"\n")[:-1]:
            version, number, what = json.loads(line)
            if version != VERSION:
                raise StoreError(f"outputs were set aside here by another version ({version})", where=path)
            if what in (_COMMITTED, _BACK):
                _discard(held.pop(number) if what == _COMMITTED else [])
                held.pop(number, None)
            else:
                held[number] = [BackupStep(*row) for row in what]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError("outputs were set aside here, and the list of them cannot be read", where=path) from error
    return [step for steps in held.values() for step in steps]


def _target(step: BackupStep) -> str:
    """Where the bytes of an output that is aside stand: a symlink still counts from the folder that it came from."""
    if not os.path.islink(step.place):
        return step.place
    return os.path.join(os.path.dirname(step.path), os.readlink(step.place))


def _ignore(_: object) -> None:
    return None
