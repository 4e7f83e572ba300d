"""A shell in tmux: real keys go in, and what stands on the screen comes out."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0


class Pane:
    """One window of 80 columns and 24 lines, with a server of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def type(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *texts: str, gone: str = "") -> str:
        """Look until all these stand on the screen, and `gone` does not; the screen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self.screen()
            if all(text in screen for text in texts) and not (gone and gone in screen):
                return screen
            time.sleep(0.05)
        raise AssertionError(f"{texts} never stood there:\n{self.screen()}")

    def _tmux(self, *args: str) -> str:
        done = subprocess.run(["tmux", "-S", str(self._socket), *args], capture_output=True, text=True, check=True)
        return done.stdout


@contextmanager
def open_pane(folder: Path, socket: Path) -> Iterator[Pane]:
    """A shell without any settings in a folder."""
    start = [
        "tmux",
        "-S",
        str(socket),
        "-f",
        os.devnull,
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        "-c",
        str(folder),
    ]
    subprocess.run([*start, "env PS1='prompt> ' sh"], check=True, env={**os.environ, "TERM": "xterm-256color"})
    pane = Pane(socket)
    try:
        pane.wait_for("prompt>")
        yield pane
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False)
