"""What a stage reads while it runs: files of the project that Python opens, and environment variables.

Seen are opens through Python (`open`, `os.open`, and whatever stands on them). Libraries that open files in C, and
other programs that the stage starts, are not seen.
"""

from __future__ import annotations

import os
import sys
from os import O_ACCMODE, O_WRONLY, fspath
from os.path import abspath  # bound now: the stage may replace it

_LIMIT = 10_000


class Observer:
    """Collects from `start()` on; an audit hook cannot be taken out again, so it lives in the stage's own process."""

    def __init__(self, root: str) -> None:
        self._prefix = root.rstrip("/") + "/"
        self._own = self._prefix + ".git/"
        self._opened: set[str] = set()
        self._active = False

    def start(self) -> None:
        self._active = True
        sys.addaudithook(self._hear)

    def stop(self) -> None:
        self._active = False

    def opened(self) -> list[str]:
        """Repository-relative paths of project files that were opened for reading, sorted; at most 10,000."""
        return sorted(path[len(self._prefix) :] for path in self._opened)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not self._active:
            return
        path, _, flags = arguments
        if isinstance(flags, int) and flags & O_ACCMODE == O_WRONLY:
            return
        if not isinstance(path, int) and path is not None:
            self._note(path)

    def _note(self, path: object) -> None:
        # An exception here would make the user's own open fail.
        try:
            name = os.fsdecode(abspath(fspath(path)))  # type: ignore[call-overload]  # noqa: PTH100
        except (OSError, TypeError, ValueError):
            return
        if name.startswith(self._prefix) and not name.startswith(self._own) and len(self._opened) < _LIMIT:
            self._opened.add(name)
