"""What makes a process safe to run user code in: own session, own streams, dies with its parent, keeps its orphans.

On Linux a process of a stage is a "subreaper": a daemon that it starts becomes its child instead of escaping, so that
it can be found when the stage has ended. Elsewhere the process group is all there is.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import random
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_HIGH_DESCRIPTOR = 200
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends, also by `kill -9` (Linux); exits at once when it has ended already."""
    if _prctl:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def trim_memory() -> None:
    """Give back to the system what was freed and lies in the middle of the heap."""
    if _malloc_trim:
        _malloc_trim(0)


def keep_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (Linux)."""
    if _prctl:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def move_high(descriptor: int) -> int:
    """Duplicate a descriptor out of the range that user code closes or reuses by habit, and close the old one."""
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    except OSError:
        os.set_inheritable(descriptor, False)
        return descriptor
    os.close(descriptor)
    return moved


def redirect_output(descriptor: int) -> None:
    """Make `descriptor` the standard output and error, for C code and other programs too."""
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def flush_output() -> None:
    """Write out what the standard streams hold; user code may have closed or replaced them."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(BaseException):
            stream.flush()  # type: ignore[union-attr]


class Seeds:
    """Fresh random numbers for each forked stage, unless the pipeline file seeded the generators itself.

    Without this, every fork of one server would draw the same "random" numbers from numpy's global generator.
    """

    def __init__(self) -> None:
        self._seeded = False
        self._seed = random.seed
        random.seed = self._noticing_seed

    def _noticing_seed(self, a: Any = None, version: int = 2) -> None:
        self._seeded = a is not None
        self._seed(a, version)

    def stop_watching(self) -> None:
        """The import is over; keep the state that it left, which Python itself replaces in a fork."""
        self._state = random.getstate() if self._seeded else None
        if random.seed == self._noticing_seed:
            random.seed = self._seed

    def renew(self) -> None:
        """In the forked process."""
        if self._state:
            random.setstate(self._state)
        mtrand = sys.modules.get("numpy.random.mtrand")
        generator = getattr(getattr(mtrand, "_rand", None), "_bit_generator", None)
        # numpy forgets the seed sequence when `numpy.random.seed(number)` is called: that state is meant to stay.
        if mtrand and getattr(generator, "_seed_seq", None) is not None:
            mtrand.seed()
