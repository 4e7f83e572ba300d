"""Ending a process at a named point, as `kill -9` or a power cut would, after everything before it has happened."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pivot.store
from pivot.store.odb import crash_points

POINTS = sorted(
    {
        name
        for path in Path(pivot.store.__file__).parent.rglob("*.py")
        for name in re.findall(r'crash_points\.point\("([^"]+)"\)', path.read_text("utf-8"))
    }
)


def run_and_crash(work: Callable[[], object], point: str, times: int = 1) -> bool:
    """Do `work` in a child that is killed when it passes `point` for the nth time; False: it never got there."""
    child = os.fork()
    if child == 0:
        _die_at(point, times)
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _die_at(point: str, times: int) -> None:
    left = [times]

    def passing(name: str) -> None:
        left[0] -= name == point
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    crash_points.point = passing
