"""Whether the stages of a code server may be forked from it, or need a fresh process each."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Literal

_GPU_DEVICES = ("/dev/nvidia", "/dev/kfd", "/dev/dri/")


def choose_start(wanted: Literal["auto", "fork", "spawn"]) -> tuple[Literal["fork", "spawn"], str]:
    """How to start stages, and why not by fork."""
    if wanted != "auto":
        return wanted, "" if wanted == "fork" else "pivot.start is spawn"
    why = _why_not_fork()
    return ("spawn", why) if why else ("fork", "")


def _why_not_fork() -> str:
    if sys.platform == "darwin":
        return "macOS libraries do not survive a fork"
    if device := _open_gpu():
        return f"the import opened a GPU ({device})"
    if _thread_count() > 1:
        _fork_once()
    if (threads := _thread_count()) > 1:
        return f"the import left {threads - 1} more threads running"
    return ""


def _fork_once() -> None:
    """Libraries that know about forks (OpenBLAS under numpy) end their idle threads before one: let them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _thread_count() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return len(sys._current_frames())


def _open_gpu() -> str:
    for link in Path("/proc/self/fd").glob("*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith(_GPU_DEVICES):
            return target
    return ""
