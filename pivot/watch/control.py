"""What reaches a watch from outside: changes of files, keys, and the wish to end it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Self

from msgspec.structs import replace

from pivot.errors import SettingError
from pivot.plan.planner import Planner
from pivot.run.events import Beat, Paused
from pivot.run.session import Session
from pivot.watch.file_events import Notices
from pivot.watch.keys import Keys
from pivot.watch.watch_filter import WatchScope, scope_of
from pivot.worker.interrupts import Interrupts

BEAT_SECONDS = 0.25
GIT_SECONDS = 30.0
RESIZED = "resized"
"""Told as if it were a key."""
FEW = 2
_TICK = 20_000_000  # ns


class WatchControl(Interrupts):
    """Changes are judged by `scope`, the newest there is, and only when somebody asks for them."""

    def __init__(self, notices: Notices, scope: WatchScope, keys: Keys | None, wake: Callable[[], object]) -> None:
        super().__init__(wake)
        self._wake = wake
        self.paused = False
        self.quit = False
        self.wishes: set[str] = set()
        self._notices = notices
        self._scope = scope
        self._keys = keys
        self._changed: set[str] = set()
        self._pressed: list[str] = []
        self._beaten = time.monotonic()
        self._looked = time.time_ns()

    def __enter__(self) -> Self:
        super().__enter__()
        if self._keys and threading.current_thread() is threading.main_thread():
            self._before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resize)
        return self

    @property
    def held(self) -> bool:
        """Whether Git is in the middle of something, such as a switch of branches; an old lock was left behind."""
        try:
            return time.time() - os.stat(f"{self._scope.git_dir}/index.lock").st_mtime < GIT_SECONDS  # noqa: PTH116
        except OSError:
            return False

    def arm(self) -> None:
        self._notices.arm(self._scope.folders())

    def leave(self) -> bool:
        """Nobody reads what is written any more: end, as if a key had asked for it."""
        self.count += 1
        return True

    def press(self) -> bool:
        """Take in what has been pressed. `r` and `f` are wishes for the next round; the rest is for the display."""
        for key in self._keys.read() if self._keys else "":
            self._pressed.append(key)
            if key == "q":
                self.quit = True
                self.count += 1
            elif key == "p":
                self.paused = not self.paused
            elif key in "rf":
                self.wishes.add(key)
        return bool(self._pressed)

    def changed(self) -> tuple[str, ...]:
        if not self.woken():
            return ()
        found, self._changed = sorted(self._changed), set()
        self._looked = time.time_ns()
        return tuple(path.removeprefix(f"{self._scope.root}/") for path in found)

    def woken(self) -> bool:
        """Whether something that matters has changed, and is to be looked at now."""
        self._judge()
        return bool(self._changed) and not self.paused and not self.held

    def interrupt_requested(self) -> bool:
        """Whether an import that is under way is of no use any more."""
        return self.count > 0 or (self.woken() and any(path.endswith(".py") for path in self._changed))

    def ticks(self) -> Iterator[Beat | Paused]:
        pressed, self._pressed = self._pressed, []
        for key in pressed:
            yield Paused(self.paused) if key == "p" else Beat(key)
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            yield Beat()

    def few_pipelines(self) -> tuple[str, ...]:
        """The pipeline files, where they are so few that the next save is likely to be for one of them."""
        return self._scope.pipelines if len(self._scope.pipelines) <= FEW else ()

    def look(self) -> None:
        """A plan is about to be made: what has changed up to now is in it."""
        self._judge()
        self._changed.clear()
        self._looked = time.time_ns()

    def planned(self, session: Session, planner: Planner) -> None:
        failed = [one.file for one in session.failures()]
        self._scope = scope_of(session.project, session.analyses, planner, failed)
        before = self._notices.folders
        self.arm()
        # What lies in folders that were not watched yet may have changed after it was read.
        fresh = self._notices.folders - before
        young = (path for path in (*self._scope.files, *self._scope.deps) if path.rpartition("/")[0] in fresh)
        self._changed.update(path for path in young if _changed_since(path, self._looked))

    def unplanned(self) -> None:
        """What the code imports is not known: whatever may be code matters."""
        self._scope = replace(self._scope, unread=True)
        self.arm()

    def _resize(self, number: int, frame: FrameType | None) -> None:
        self._pressed.append(RESIZED)
        self._wake()

    def _judge(self) -> None:
        told = self._notices.take()
        self._changed.update(path for kind, path in told if self._scope.matters(kind, path))
        odd = [(kind, path) for kind, path in told if self._scope.may_hold_pipeline(kind, path)]
        if any(kind == "added" and os.path.isdir(path) for kind, path in odd):  # noqa: PTH112
            self.arm()
        if odd and self._pipelines() != self._scope.pipelines:
            self._changed.update(path for _, path in odd)

    def _pipelines(self) -> tuple[str, ...]:
        with suppress(SettingError):  # the plan that follows says it
            return tuple(self._scope.discovery.pipelines())
        return ()


def _changed_since(path: str, moment: int) -> bool:
    try:
        told = os.stat(path)  # noqa: PTH116
    except OSError:
        return False
    return max(told.st_mtime_ns, told.st_ctime_ns) > moment - _TICK
