"""Kills a command, or one of the processes below it, and finds what outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

MARK = "TORTURE_TRIAL"
"""In the environment of every process of a trial; its value names the trial."""
KINDS = ("group", "command", "server", "stage")
_PATIENCE = 60.0  # seconds, on a machine with much else to do
_SERVER = "pivot.worker.fork_server"


def processes(trial: str) -> dict[int, str]:
    """The command lines of the trial's processes that live, by id; zombies are dead."""
    wanted = f"{MARK}={trial}".encode()
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _find(kind: str, trial: str) -> int:
    """A process of this kind; 0 if there is none at the moment."""
    lines = processes(trial)
    servers = [pid for pid, line in lines.items() if _SERVER in line]
    tops = [pid for pid in servers if _parent(pid) not in servers]
    if kind == "server":
        return next(iter(tops), 0)
    if kind == "stage":
        return next((pid for pid in servers if _parent(pid) in tops), 0)
    return next((pid for pid, line in lines.items() if "-m pivot " in line and pid not in servers), 0)


def kill(process: subprocess.Popen[bytes], kind: str, trial: str, after: float) -> bool:
    """Kill after so many seconds, or as soon as such a process is there; whether one was."""
    time.sleep(after)
    killed = False
    while not killed and process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if kind == "group":
                os.killpg(process.pid, signal.SIGKILL)
                killed = True
            elif found := _find(kind, trial):
                os.kill(found, signal.SIGKILL)
                killed = True
        time.sleep(0.005)
    process.wait(_PATIENCE)
    return killed


def wait_for_end(trial: str) -> None:
    """Fail if a process of the trial does not end by itself soon after the kill."""
    deadline = time.monotonic() + _PATIENCE
    while left := processes(trial):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.02)
