"""The program that a connection to a remote is held by: it says how things stand there, then answers what is there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from pivot.errors import ConnectionLost
from pivot.sync.channel import BLOCK, Channel, Ended
from pivot.sync.scripts import READY


class Anchor:
    """`git cat-file --batch-check` on the host, one conversation at a time. `ended` counts where it is not `ready`."""

    def __init__(self, channel: Channel, url: str) -> None:
        self._channel = channel
        self._url = url
        self._rest = b""
        self._lines: deque[bytes] = deque()
        self._lock = threading.Lock()
        self.ended = Ended(0, "")
        self.version = ""
        self.ready = self._greet()

    def sizes(self, ids: Sequence[str]) -> dict[str, int]:
        """Those of the objects that are there, with their sizes."""
        with self._lock:
            asked = "".join(f"{oid}\n" for oid in ids).encode()
            writer = threading.Thread(target=self._write, args=(asked,), daemon=True)
            writer.start()
            rows = [self._line().split() for _ in ids]
            writer.join()
        return {row[0].decode(): int(row[2]) for row in rows if len(row) == 3}

    def close(self) -> None:
        self._channel.close()

    def _greet(self) -> bool:
        """Past whatever the user's shell says first."""
        while line := self._next():
            if line.startswith(READY):
                self.version = line.removeprefix(READY).decode("utf-8", "replace").strip()
                return True
        self.ended = self._channel.finish()
        if not self.ended.code:
            raise ConnectionLost(f"{self._url} runs no commands", hint="Its login shell must be able to run `sh`.")
        return False

    def _write(self, asked: bytes) -> None:
        try:
            self._channel.write(asked)
        except OSError:
            return  # the reader finds out

    def _line(self) -> bytes:
        line = self._next()
        if not line:
            raise ConnectionLost(f"the connection to {self._url} broke")
        return line

    def _next(self) -> bytes:
        while not self._lines:
            block = self._channel.read(BLOCK)
            if not block:
                return b""
            *whole, self._rest = (self._rest + block).split(b"\n")
            self._lines.extend(whole)
        return self._lines.popleft() + b"\n"
