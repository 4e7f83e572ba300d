"""Keys pressed on the terminal, one at a time, without echo; the terminal is put right at the end, whatever happens."""

from __future__ import annotations

import contextlib
import os
import sys
import termios
import tty
from types import TracebackType
from typing import Any, Self


class Keys:
    """Reads standard input while open; `fileno` is readable when there is a key."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self._before: list[Any] = []

    @staticmethod
    def are_there() -> bool:
        """Whether there is a terminal on both sides, and this command stands in front of it."""
        try:
            return sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        except (OSError, ValueError):
            return False

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor, termios.TCSADRAIN)
        # A stopped process would leave the shell with this screen and without echo.
        changed = termios.tcgetattr(self._descriptor)
        changed[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, changed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(termios.error):  # the terminal itself has gone
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, self._before)

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> str:
        """What has been pressed; `q` when the terminal has gone. An arrow or function key is passed over."""
        try:
            text = os.read(self._descriptor, 64).decode("utf-8", "ignore")
        except OSError:
            return "q"
        return "q" if not text else "" if text.startswith("\x1b") else text
