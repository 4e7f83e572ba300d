"""A real `git pivot watch`, left running, and what it says of each save."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.repository import Repo

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; what it waits for takes a fraction of one."""

Told = dict[str, Any]


class Watching:
    """The events of a watch, in order; `heard` keeps all that were read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.heard: list[Told] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, kind: str, **fields: object) -> Told:
        """Read on until an event is as described."""
        while True:
            event = self._next()
            if event["event"] == kind and fields.items() <= event.items():
                return event

    def round(self) -> dict[str, str]:
        """Read on to the end of a run: how each stage ended."""
        seen = len(self.heard)
        self.until("run-ended")
        return {event["stage"]: event["ending"] for event in self.heard[seen:] if event["event"] == "ended"}

    def kinds(self) -> list[str]:
        return [event["event"] for event in self.heard]

    def end(self, number: int = signal.SIGINT) -> int:
        """Ask for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def _next(self) -> Told:
        try:
            line = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"nothing more was said after {self.heard[-3:]}") from None
        assert line, f"it has ended; its last: {self.heard[-3:]} {self.process.stderr and self.process.stderr.read()}"
        self.heard.append(json.loads(line))
        return self.heard[-1]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")


@contextlib.contextmanager
def watching(repo: Repo, *args: str) -> Iterator[Watching]:
    """A watch that has come to rest after its first run."""
    process = repo.start_pivot("watch", "--json", *args)
    try:
        watch = Watching(process)
        yield watch
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def processes_in(folder: Path) -> list[str]:
    """Command lines of the processes whose current folder is this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found
