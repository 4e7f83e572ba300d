"""Outputs of the work tree around a run: set aside and put back, and user edits kept before they are replaced.

Where: `<pivot dir>/aside/<pid>-<8 hex>/`: `manifest`, `lock` (held while the command lives; the kernel frees it), and
the outputs under their numbers; an output on another file system steps aside under a temporary name beside itself.
Manifest: JSON, version 1, `steps` = a list of `[path, place, was there]`, paths absolute. It is renamed to `committed`
when the new outputs stand.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat as modes
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import LockTimeout, StoreError
from pivot.files import FileLock, temp_path, write_atomic
from pivot.store import faults, links
from pivot.store.layout import remove
from pivot.store.objects import Object
from pivot.store.saved import Saved
from pivot.store.stat_cache import StatCache
from pivot.store.store import Store

VERSION = 1


class Step(Struct, frozen=True):
    """An output on its way aside: where it belongs, where it goes, and whether anything stood there."""

    path: str
    place: str
    present: bool


class Aside:
    """Takes outputs out of the way of a stage, and puts them back unless `commit` is called.

    So no stage writes through a hard link, and a stage that fails leaves its outputs as they were; after `kill -9` that
    is the work of `recover`. Used as a context manager.
    """

    def __init__(self, pivot_dir: Path) -> None:
        self._folder = f"{os.path.abspath(pivot_dir)}/aside/{os.getpid()}-{os.urandom(4).hex()}"
        self._lock = FileLock(Path(f"{self._folder}/lock"), "git pivot repro")
        self._steps: list[Step] = []

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
                faults.point("aside:lent")

    def commit(self) -> None:
        """The new outputs stand: forget the old ones."""
        if self._steps:
            os.replace(f"{self._folder}/manifest", f"{self._folder}/committed")
            faults.point("aside:committed")
            _discard(self._steps)
            self._end()

    def rollback(self) -> None:
        """Put the old outputs back in place of what the stage may have written."""
        if self._steps:
            for step in self._steps:
                _put_back(step, remove)
                faults.point("aside:restored")
            self._end()

    def _begin(self, paths: Sequence[Path]) -> range:
        if not self._lock.held:
            self._lock.acquire()
        first = len(self._steps)
        known = {step.path for step in self._steps}
        for path in dict.fromkeys(os.path.abspath(path) for path in paths):
            if path not in known:
                place = f"{self._folder}/{len(self._steps)}"
                self._steps.append(Step(path, place, os.path.lexists(path)))
        self._note()
        return range(first, len(self._steps))

    def _note(self) -> None:
        _write_manifest(f"{self._folder}/manifest", self._steps)
        faults.point("aside:manifest")

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
        faults.point("aside:moved")

    def _end(self) -> None:
        self._steps = []
        self._lock.release()
        shutil.rmtree(self._folder)

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


class Keeper(Struct, frozen=True):
    """Puts user edits away before a path is replaced. `root` is the repository's, absolute."""

    root: Path
    store: Store
    stats: StatCache
    saved: Saved

    def keep(self, path: Path, why: str) -> Object | None:
        """Store what stands at `path` and log it, if some of its bytes are nowhere in the store."""
        if not self.store.unknown(path, self.stats):
            return None
        held = self.store.put(path, self.stats)
        faults.point("keep:stored")
        self.saved.append(path.relative_to(self.root).as_posix(), held, why)
        return held


def keep_edits(keeper: Keeper, paths: Sequence[Path], why: str) -> dict[Path, Object]:
    """Keep what a command is about to replace; what was kept, by path."""
    kept = {path: keeper.keep(path, why) for path in paths}
    return {path: held for path, held in kept.items() if held is not None}


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
        _discard(_read_manifest(f"{folder}/committed"))
        steps = _read_manifest(f"{folder}/manifest")

        def make_way(path: str) -> None:
            keep(Path(path))
            remove(path)

        back = [step.path for step in steps if _put_back(step, make_way)]
        shutil.rmtree(folder)
        return back


def _put_back(step: Step, make_way: Callable[[str], None]) -> bool:
    if step.present and not os.path.lexists(step.place):
        return False  # it has not left yet, or is back already
    if os.path.lexists(step.path):
        make_way(step.path)
    if step.present:
        os.makedirs(os.path.dirname(step.path), exist_ok=True)
        os.rename(step.place, step.path)
    return step.present


def _discard(steps: Sequence[Step]) -> None:
    for step in steps:
        remove(step.place)


def _write_manifest(path: str, steps: Sequence[Step]) -> None:
    rows = [[step.path, step.place, step.present] for step in steps]
    # Not durable: what steps aside is in the store already, so that a power failure costs a restore, not bytes.
    write_atomic(Path(path), json.dumps({"version": VERSION, "steps": rows}).encode())


def _read_manifest(path: str) -> list[Step]:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return []
    if not data:
        return []  # a power failure took the list; the bytes of what stepped aside are in the store
    try:
        value = json.loads(data)
        if value["version"] == VERSION:
            return [Step(*row) for row in value["steps"]]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError("outputs were set aside here, and the list of them cannot be read", where=path) from error
    raise StoreError(f"outputs were set aside here by another version ({value['version']})", where=path)


def _target(step: Step) -> str:
    """Where the bytes of an output that is aside stand: a symlink still counts from the folder that it came from."""
    if not os.path.islink(step.place):
        return step.place
    return os.path.join(os.path.dirname(step.path), os.readlink(step.place))


def _ignore(_: object) -> None:
    return None
