"""Whether the stages of a code server may be forked from it, or need a fresh process each."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path
from typing import Literal

_FORKS_WELL = {
    "jemalloc_bg_thd": "jemalloc, under pyarrow and polars, takes its locks before a fork and starts anew after it",
    "polars-ooc-clea": "polars' thread that removes files of a spill; it holds no lock that a query takes",
}
"""Threads of libraries, by the name that the kernel has, and why a fork without them computes as before.

Each entry has its test of 500 forks that compute in parallel. A fork in Python waits until numpy's, scipy's and
Arrow's pools are at rest; pools that an import has used (OpenMP, polars, torch) are not here: their next use hangs.
"""
_GPU_DEVICES = ("/dev/nvidia", "/dev/kfd", "/dev/dri/")


def choose_start_method(wanted: Literal["auto", "fork", "spawn"]) -> tuple[Literal["fork", "spawn"], str]:
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
    if _threads():
        _fork_once()
    if threads := _threads():
        return f"the import left {len(threads)} more {'thread' if len(threads) == 1 else 'threads'} running"
    return ""


def _fork_once() -> None:
    """Libraries that know about forks (OpenBLAS under numpy) end their idle threads before one: let them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _threads() -> list[str]:
    """Names of the threads that a fork would lose and a library would miss."""
    found = []
    try:
        tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    except OSError:
        return [""] * (len(sys._current_frames()) - 1)
    for task in tasks:
        with contextlib.suppress(OSError):  # it has ended
            found.append((task / "comm").read_text().strip())
    return [name for name in found if name not in _FORKS_WELL]


def _open_gpu() -> str:
    for link in Path("/proc/self/fd").glob("*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith(_GPU_DEVICES):
            return target
    return ""
