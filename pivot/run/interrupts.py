"""Ctrl-C, counted: a run decides itself what the first and the second one mean."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

# `git` hands a Ctrl-C of the terminal on to us, who have had it from the terminal already.
ONE_PRESS = 0.5


class Stops(Protocol):
    """How often somebody has asked for the end: once, and what runs is waited for; more often, and it is killed."""

    @property
    def count(self) -> int: ...


def let_through() -> None:
    """In a process that was started so: forget what was held back, and hear what comes from now on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


class Interrupts:
    """While open, SIGINT counts one and SIGTERM two; outside the main thread, which has all handlers, nothing does.

    `heard` is called in the handler.
    """

    def __init__(self, heard: Callable[[], object] | None = None) -> None:
        self.count = 0
        self._heard = heard
        self._last = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for kind in (signal.SIGINT, signal.SIGTERM):
                self._before[kind] = signal.signal(kind, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if number == signal.SIGINT and now - self._last < ONE_PRESS:
            return
        self._last = now
        self.count += 1 if number == signal.SIGINT else 2
        if self._heard:
            self._heard()
