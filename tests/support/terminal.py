"""The real command in a pseudo-terminal, as a person has it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.repository import PIVOT, Repo

_MARK = "PIVOT_TEST_TERMINAL"


class Terminal:
    """A command running in a terminal of its own; `shown` is all that it wrote so far, escape sequences included."""

    def __init__(self, repo: Repo, *args: str) -> None:
        self.shown = ""
        self._mark = os.urandom(8).hex()
        self._master, self._slave = os.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, b"\x28\x00\x64\x00\x00\x00\x00\x00")
        self._settings = termios.tcgetattr(self._slave)
        self._process = subprocess.Popen(
            [*PIVOT, *args],
            cwd=repo.path,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**os.environ, _MARK: self._mark, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=_take(self._slave),  # noqa: PLW1509 (there are no threads here)
        )

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, text: str, patience: float = 60) -> None:
        """Read until `text` is shown."""
        self._read(lambda: text in self.text, patience)
        assert text in self.text, f"{text!r} was never shown:\n{self.text}"

    def pause(self, seconds: float) -> None:
        """Read for a while, or until the command has ended."""
        self._read(lambda: self._process.poll() is not None, seconds)

    def wait(self, patience: float = 60) -> int:
        """Read until the command has ended; its exit code."""
        self._read(lambda: self._process.poll() is not None, patience)
        self._read(lambda: False, 0)
        assert self._process.poll() is not None, f"it goes on:\n{self.text}"
        return self._process.returncode

    @property
    def text(self) -> str:
        """What was shown, without escape sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self.shown)

    def is_as_before(self) -> bool:
        """Whether the command left the terminal as it was: its modes, and a cursor that can be seen."""
        hidden, seen = self.shown.rfind("\x1b[?25l"), self.shown.rfind("\x1b[?25h")
        return termios.tcgetattr(self._slave) == self._settings and hidden <= seen

    def left_running(self) -> list[str]:
        """Processes that were started in this terminal, however far down, and are there still."""
        mark = f"{_MARK}={self._mark}".encode()
        return [path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if mark in _content(path)]

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)

    def _read(self, enough: Callable[[], bool], patience: float) -> None:
        end = time.monotonic() + patience
        while True:
            while select.select([self._master], [], [], 0.02)[0]:
                self.shown += os.read(self._master, 1 << 16).decode(errors="replace")
            if enough() or time.monotonic() > end:
                return


def _take(slave: int) -> Callable[[], None]:
    def take() -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        # A suite in the background of a script ignores Ctrl-C, and what it starts would do so too.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return take


def _content(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""
