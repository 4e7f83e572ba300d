"""Ending a process at a named point, as `kill -9` or a power cut would, after everything before it has happened."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pivot.store
from pivot.errors import PivotError
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


def run_and_refuse(work: Callable[[], object], point: str, number: int) -> str:
    """Do `work` in a child where the system refuses what comes at `point` with an error number; what it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _refuse_at(point, number)
        try:
            work()
        except (OSError, PivotError) as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


def _refuse_at(point: str, number: int) -> None:
    def passing(name: str) -> None:
        if name == point:
            raise OSError(number, os.strerror(number), point)

    crash_points.point = passing


def _die_at(point: str, times: int) -> None:
    left = [times]

    def passing(name: str) -> None:
        left[0] -= name == point
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    crash_points.point = passing
