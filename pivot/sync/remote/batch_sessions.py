"""The programs that stay on a host while a connection holds: one says what is there, one gives what is small."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from pivot.errors import ConnectionLost
from pivot.store.odb.objects import MOST_TREE, object_id
from pivot.sync.remote.channel import BLOCK, Channel, ProgramExit
from pivot.sync.remote.maintenance import RemoteState, as_size, no_answer, parse_state
from pivot.sync.remote.shell_scripts import READY

_LONGEST_LINE = 1 << 20  # bytes; more than all lines that a host is asked for, and than any greeting


class CheckSession:
    """`git cat-file --batch-check` on the host, one conversation at a time. `ended` counts where it is not `ready`."""

    def __init__(self, channel: Channel, url: str) -> None:
        self._channel = channel
        self._url = url
        self._rest = b""
        self._lines: deque[bytes] = deque()
        self._lock = threading.Lock()
        self.ended = ProgramExit(0, "")
        self.version = ""
        self.standing: RemoteState | None = None  # where marks were left before anything was asked
        self.ready = self._greet()

    def sizes(self, ids: Sequence[str]) -> dict[str, int]:
        """Those of the objects that are there, with their sizes."""
        with self._lock:
            writer = threading.Thread(target=feed_some, args=(self._channel, ids), daemon=True)
            writer.start()
            rows = [self._line().split() for _ in ids]
            writer.join()
        asked = zip(ids, rows, strict=True)
        return {oid: as_size(row[2]) for oid, row in asked if len(row) == 3 and row[0] == oid.encode()}

    def close(self) -> None:
        self._channel.close()

    def _greet(self) -> bool:
        """Past whatever the user's shell says first."""
        while line := self._next():
            if line.startswith(READY):
                told, _, version = line.removeprefix(READY).decode("utf-8", "surrogateescape").strip().partition("] ")
                self.version = version
                self.standing = None if told == "[unmarked" else parse_state(told[1:])
                return True
        self.ended = self._channel.finish()
        if not self.ended.code:
            raise ConnectionLost(f"{self._url} runs no commands", hint="Its login shell must be able to run `sh`.")
        return False

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
            if len(self._rest) > _LONGEST_LINE:
                raise no_answer(self._rest)
            self._lines.extend(whole)
        return self._lines.popleft() + b"\n"


class ReadSession:
    """`git cat-file --batch` on the host: the bytes of small objects, one conversation at a time."""

    def __init__(self, channel: Channel, url: str) -> None:
        self._channel = channel
        self._url = url
        self._held = bytearray()
        self._lock = threading.Lock()

    def read(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Those of the objects that are there and are what their ids say."""
        found: dict[str, bytes] = {}
        with self._lock:
            writer = threading.Thread(target=feed_some, args=(self._channel, ids), daemon=True)
            writer.start()
            for oid in ids:
                words = self._line().split()
                if len(words) != 3:
                    continue  # missing
                if (size := as_size(words[2])) > MOST_TREE:
                    raise no_answer(b" ".join(words))  # nothing in a store is that large
                data = self._take(size + 1)[:-1]
                if object_id(words[1], data) == oid:
                    found[oid] = data
            writer.join()
        return found

    def close(self) -> None:
        self._channel.close()

    def _line(self) -> bytes:
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > _LONGEST_LINE:
                raise no_answer(bytes(self._held[:_LONGEST_LINE]))
            self._more()
        return self._take(end + 1)

    def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        data = bytes(self._held[:count])
        del self._held[:count]
        return data

    def _more(self) -> None:
        block = self._channel.read(BLOCK)
        if not block:
            raise ConnectionLost(f"the connection to {self._url} broke")
        self._held += block


def feed_some(channel: Channel, ids: Sequence[str]) -> None:
    """Ask for objects; that nobody listens any more is for the reader to find out."""
    with suppress(OSError):
        channel.write("".join(f"{oid}\n" for oid in ids).encode())
