"""Changes of files, told when nothing has followed them for a moment: a thread over the system's notices."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, cast

from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from pivot.watch.polling import Looking
from pivot.watch.watch_filter import Kind

Notice = tuple[Kind, str]

_KINDS: dict[int, Kind] = {1: "added", 2: "modified", 3: "deleted"}
_LONGEST_STEP = 20  # ms between two looks at what the system has told; each costs some 30 microseconds
_TRIES = 3


class Watcher(Protocol):
    """The watcher of watchfiles, or one like it."""

    def watch(
        self, debounce: int, step: int, timeout: int, stop: threading.Event | None
    ) -> set[tuple[int, str]] | str: ...

    def close(self) -> None: ...


class Notices:
    """`wake` is called, from the thread, when there is something to `take`. `quiet` is in milliseconds."""

    def __init__(self, wake: Callable[[], object], quiet: int, *, polling: bool = False) -> None:
        self.polling = "pivot.watchPolling is true" if polling else ""
        self._wake = wake
        self._quiet = quiet
        self._step = max(1, min(_LONGEST_STEP, quiet // 4))
        self._folders: frozenset[str] = frozenset()
        self._told: set[Notice] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def arm(self, folders: frozenset[str]) -> None:
        """Watch these folders, each without what is below it, in place of those before."""
        if folders == self._folders:
            return
        notify = self._open_standing(folders)
        self._end()  # the new one listens already: nothing falls between the two
        self._folders, self._stop = folders, threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(notify, self._stop), daemon=True)
        self._thread.start()

    @property
    def folders(self) -> frozenset[str]:
        return self._folders

    def take(self) -> set[Notice]:
        with self._lock:
            told, self._told = self._told, set()
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _open_standing(self, folders: frozenset[str]) -> Watcher:
        """A folder may go while the list is made."""
        for _ in range(_TRIES):
            try:
                return self._open(folders)
            except (FileNotFoundError, PermissionError):
                folders = frozenset(folder for folder in folders if os.access(folder, os.R_OK | os.X_OK))
        return self._open(folders)

    def _open(self, folders: frozenset[str]) -> Watcher:
        if not self.polling:
            try:
                return cast(Watcher, RustNotify(sorted(folders), False, False, 0, False, False))
            except (OSError, WatchfilesRustInternalError) as error:
                if isinstance(error, FileNotFoundError | PermissionError):
                    raise
                self.polling = _reason(error)
        return Looking(folders)

    def _end(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._thread = None

    def _listen(self, notify: Watcher, stop: threading.Event) -> None:
        fresh: set[Notice] = set()
        while True:
            # Two steps go by between a change and its being told here.
            timeout = max(1, self._quiet - 2 * self._step) if fresh else 0
            told = notify.watch(1, self._step, timeout, stop)
            if isinstance(told, set):
                fresh |= {(_KINDS[kind], path) for kind, path in told}
            elif fresh:
                self._tell(fresh)
                fresh = set()
            if told == "stop":
                last = notify.watch(1, 1, 1, None)  # what was told in the very moment
                if isinstance(last, set):
                    self._tell({(_KINDS[kind], path) for kind, path in last})
                notify.close()
                return

    def _tell(self, fresh: set[Notice]) -> None:
        with self._lock:
            self._told |= fresh
        self._wake()


def _reason(error: Exception) -> str:
    if "limit reached" in str(error):
        return "the system watches no more files for this user (sysctl fs.inotify.max_user_watches)"
    if "os error 24" in str(error):
        return "the system has no more watches for this user (sysctl fs.inotify.max_user_instances)"
    number = cast(int | None, getattr(error, "errno", None))
    return errno.errorcode.get(number, str(error)) if number else str(error)
