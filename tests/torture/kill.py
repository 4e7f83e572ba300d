"""Kills a command, or one of the processes below it, and finds what outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

MARK = "TORTURE_TRIAL"
"""In the environment of every process of a trial; its value names the trial."""
KINDS = ("group", "command", "server", "stage")
_PATIENCE = 60.0  # seconds, on a machine with much else to do
_PAUSE = 0.005  # seconds between two looks at the processes
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


def _find(kind: str, lines: Mapping[int, str]) -> int:
    """One of these processes that is of this kind; 0 if none is."""
    servers = [pid for pid, line in lines.items() if _SERVER in line]
    tops = [pid for pid in servers if _parent(pid) not in servers]
    if kind == "server":
        return next(iter(tops), 0)
    if kind == "stage":
        return next((pid for pid in servers if _parent(pid) in tops), 0)
    return next((pid for pid, line in lines.items() if "-m pivot " in line and pid not in servers), 0)


class Windows:
    """When the processes of a command live, in seconds after its start: so a kill hits while they work.

    Measured in one run of the command; later trials make a window shorter if the command was faster, else longer.
    """

    def __init__(self) -> None:
        self._of: dict[str, dict[str, tuple[float, float]]] = {}

    def known(self, command: str) -> bool:
        """Whether this command has been measured."""
        return command in self._of

    def kinds(self, command: str) -> list[str]:
        """What can be killed: a command that runs no stage has no fork server."""
        return list(self._of[command])

    def window(self, command: str, kind: str) -> tuple[float, float]:
        """Between which moments to kill."""
        return self._of[command][kind]

    def measure(self, command: str, process: subprocess.Popen[bytes], trial: str) -> None:
        """Look at the processes of a command until it has ended."""
        began, seen = time.monotonic(), dict[str, tuple[float, float]]()
        while process.poll() is None:
            lines, now = processes(trial), time.monotonic() - began
            for kind in KINDS[1:]:
                if _find(kind, lines):
                    seen[kind] = (seen.get(kind, (now, now))[0], now)
            time.sleep(_PAUSE)
        self._of[command] = {"group": (0.0, time.monotonic() - began), **seen}

    def learn(self, trial_of: str, kind: str, *, killed: bool) -> None:
        """Follow the load of the machine."""
        first, last = self._of[trial_of][kind]
        self._of[trial_of][kind] = (first, first + (last - first) * (1.03 if killed else 0.8))


def kill(process: subprocess.Popen[bytes], kind: str, trial: str, after: float) -> bool:
    """Kill after so many seconds, or as soon as such a process is there; whether one was."""
    time.sleep(after)
    killed = False
    while not killed and process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if kind == "group":
                os.killpg(process.pid, signal.SIGKILL)
                killed = True
            elif found := _find(kind, processes(trial)):
                os.kill(found, signal.SIGKILL)
                killed = True
        time.sleep(_PAUSE)
    process.wait(_PATIENCE)
    return killed


def wait_for_end(trial: str) -> None:
    """Fail if a process of the trial does not end by itself soon after the kill."""
    deadline = time.monotonic() + _PATIENCE
    while left := processes(trial):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.02)
