"""How a command is asked to end: Ctrl-C is counted by a run, SIGTERM and SIGHUP end any command in order."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

# `git` hands a Ctrl-C of the terminal on to us, who have had it from the terminal already.
ONE_PRESS = 0.5
ENDINGS = (signal.SIGTERM, signal.SIGHUP)
"""What service managers and a terminal that is gone send."""


class Terminated(BaseException):
    """The command was sent a signal of `ENDINGS`; what is open is closed on the way out, as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def end_in_order() -> None:
    """The first of these signals raises `Terminated`, a later one ends the process; an ignored one (nohup) stays so."""
    last = 0.0

    def end(number: int, _frame: object) -> None:
        nonlocal last
        now = time.monotonic()
        if last and now - last < ONE_PRESS:  # `git` hands its own on to us
            return
        if last:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        last = now
        leave_terminal()
        raise Terminated(number)

    for kind in ENDINGS:
        if signal.getsignal(kind) == signal.SIG_DFL:
            signal.signal(kind, end)


def leave_terminal() -> None:
    """Write nothing to a terminal that has hung up: each attempt would fail with EIO, and end the command early."""
    for descriptor in (1, 2):
        try:
            is_device = stat.S_ISCHR(os.fstat(descriptor).st_mode)
        except OSError:
            continue
        if is_device and not os.isatty(descriptor):
            null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(null, descriptor)
            os.close(null)


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
    """While open, SIGINT counts one, SIGTERM and SIGHUP two; in other threads than the main one, nothing does.

    `heard` is called in the handler.
    """

    def __init__(self, heard: Callable[[], object] | None = None) -> None:
        self.count = 0
        self._heard = heard
        self._last = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for kind in (signal.SIGINT, *ENDINGS):
                if signal.getsignal(kind) != signal.SIG_IGN:
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
        if number == signal.SIGHUP:
            leave_terminal()
        if self._heard:
            self._heard()
