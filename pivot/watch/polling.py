"""Changes of files where the system tells of none: by looking at them again and again.

The poller of watchfiles compares times in whole seconds, and so misses the second of two saves in one second
(measured); this one compares what the stat cache compares.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

Stat = tuple[int, int, int, int]

ADDED, MODIFIED, DELETED = 1, 2, 3  # as watchfiles numbers them
PAUSE = 1.0  # seconds between two looks


class Looking:
    """Speaks as the watcher of watchfiles does, for files right in some folders."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = list(folders)
        self._seen = self._look()
        self._due = time.monotonic() + PAUSE

    def watch(self, debounce: int, step: int, timeout: int, stop: threading.Event | None) -> set[tuple[int, str]] | str:
        """What has changed since the last look, "timeout" after `timeout` ms (0: never), or "stop"."""
        end = time.monotonic() + timeout / 1000 if timeout else None
        while stop is not None:
            if stop.wait(step / 1000):
                return "stop"
            if time.monotonic() >= self._due and (told := self._compare()):
                return told
            if end is not None and time.monotonic() >= end:
                return "timeout"
        return self._compare() or "timeout"

    def close(self) -> None:
        self._seen.clear()

    def _compare(self) -> set[tuple[int, str]]:
        before, self._seen = self._seen, self._look()
        self._due = time.monotonic() + PAUSE
        told = {(ADDED if path not in before else MODIFIED, path) for path in _differing(self._seen, before)}
        return told | {(DELETED, path) for path in before.keys() - self._seen.keys()}

    def _look(self) -> dict[str, Stat]:
        return {path: stat for folder in self._folders for path, stat in _stats(folder).items()}


def _differing(now: dict[str, Stat], before: dict[str, Stat]) -> Iterable[str]:
    return (path for path, stat in now.items() if before.get(path) != stat)


def _stats(folder: str) -> dict[str, Stat]:
    """What stands in a folder; what is gone by the time of the look is not there."""
    with suppress(OSError), os.scandir(folder) as entries:
        told = {entry.path: _stat(entry) for entry in entries}
        return {path: stat for path, stat in told.items() if stat is not None}
    return {}


def _stat(entry: os.DirEntry[str]) -> Stat | None:
    try:
        told = Path(entry).stat()  # a symlink counts as what it points to
    except OSError:
        return None
    return (told.st_mtime_ns, told.st_ctime_ns, told.st_size, told.st_ino)
