"""Bounds on a check that reads what others have pushed: how long it may take, and how much memory."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

GRACE = 10.0  # seconds; then a check that does not come back to Python is killed, which refuses the push as well


class OutOfTime(BaseException):
    """The check took too long. Not an `Exception`: nobody on the way mistakes it for what was pushed being damaged."""


@contextlib.contextmanager
def limited(seconds: float, memory: int) -> Iterator[None]:
    """Within it, `OutOfTime` is raised after so many seconds, and no more than `memory` bytes of data are to be had.

    Both hold for the programs that are started meanwhile too. Files that Git maps into memory do not count.
    """
    handler = signal.signal(signal.SIGALRM, _ring)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _ring(number: int, frame: FrameType | None) -> NoReturn:
    """Once only: if this is caught in a place that does not end, the next alarm has no handler and kills."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, GRACE)
    raise OutOfTime
