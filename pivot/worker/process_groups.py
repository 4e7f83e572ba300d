"""Process groups: every stage leads its own, so that what it started can be told apart and ended with it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

from msgspec import Struct

_SERVANTS = ("resource_tracker", "multiprocessing.forkserver")
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


class ChildExit(Struct, frozen=True):
    """A child that has ended: wait status, CPU seconds, peak resident bytes (waited-for children included)."""

    pid: int
    status: int
    cpu: float
    memory: int


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the group that `pid` leads; silent when nothing of it is left."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # no group made yet, or only a zombie is left in it (macOS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def reap_next(leaders: set[int]) -> ChildExit | None:
    """Collect one child that has ended; if it is in `leaders`, the rest of its group is killed with it."""
    try:
        if pid := _ended_child():
            _end_group(pid, leaders)
        found, status, usage = os.wait4(pid or -1, os.WNOHANG)
    except ChildProcessError:
        return None
    if not found:
        return None
    if not pid:
        _end_group(found, leaders)
    return ChildExit(found, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MEMORY_UNIT)


def _ended_child() -> int:
    """A child that has ended and is still uncollected, so that its number cannot be another's yet; 0 if not known."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return 0
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return found.si_pid if found else 0


def _end_group(pid: int, leaders: set[int]) -> None:
    if pid in leaders:
        signal_group(pid, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """The direct children of a single-threaded process; empty where the system does not tell."""
    try:
        listed = os.open(f"/proc/{pid}/task/{pid}/children", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return [int(word) for word in _read_whole(listed).split()]
    finally:
        os.close(listed)


def _read_whole(descriptor: int) -> bytes:
    data = b""
    while piece := os.read(descriptor, 1 << 16):
        data += piece
    return data


def programs_left() -> list[str]:
    """Command lines of the children that still run, without the servants that `multiprocessing` ends by itself."""
    if not has_children():
        return []
    lines = [_command_line(pid) for pid in children_of(os.getpid())]
    return [line for line in lines if line and not any(servant in line for servant in _SERVANTS)]


def _command_line(pid: int) -> str:
    """Empty for a process that has ended; the program's name in the moment in which it is being started."""
    folder = Path(f"/proc/{pid}")
    try:
        name, _, rest = (folder / "stat").read_text(errors="replace").partition(" (")[2].rpartition(") ")
        words = (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return "" if rest.startswith("Z") else b" ".join(words).decode("utf-8", "replace").strip() or name


def has_children() -> bool:
    """Whether this process has children that it has not waited for, running or ended; one cheap system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    except AttributeError:  # macOS before Python 3.13
        return bool(children_of(os.getpid()))
    return True


def stop_orphans(spared: set[int]) -> None:
    """Kill children of this process that are in another session and not spared.

    Those are descendants of stages that left their stage's group: since this process adopts orphans, they became its
    children when the stage ended.
    """
    session = os.getsid(0)
    for pid in set(children_of(os.getpid())) - spared:
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) != session:
                os.kill(pid, signal.SIGKILL)


def kill_descendants(patience: float = 2.0) -> None:
    """Kill every process that this one has started, directly or not, whatever its session; it adopts their orphans."""
    deadline = monotonic() + patience
    while (left := children_of(os.getpid())) and monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        sleep(0.001)


def kill_strays(variable: str, patience: float = 2.0) -> None:
    """Kill processes that carry `variable` (`NAME=value`) in their environment while their parent does not.

    Those were started by a server that is dead: one that lives adopts the orphans of what it has started.
    """
    marked = variable.encode("utf-8", "surrogateescape")
    deadline = monotonic() + patience
    while (strays := _strays(marked)) and monotonic() < deadline:
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        sleep(0.002)


def _strays(variable: bytes) -> list[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if variable in (folder / "environ").read_bytes().split(b"\0"):
                parents[int(folder.name)] = int(
                    (folder / "stat").read_text(errors="replace").rpartition(") ")[2].split()[1]
                )
    return [pid for pid, parent in parents.items() if parent not in parents]


def end_session() -> NoReturn:
    """End this process with all that it has started, and what is left in its group if it leads a session."""
    kill_descendants()
    if os.getsid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
