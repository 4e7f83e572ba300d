"""What a stage prints: read without blocking, split into lines of bounded length, and written to its log."""

from __future__ import annotations

import os
from collections import deque

from msgspec import Struct

from pivot.run.logs import LogFile

_CHUNK = 1 << 16
_DRAIN_CHUNKS = 64
_LINE_LIMIT = 8 << 10
_TAIL_LINES = 20


class Line(Struct, frozen=True):
    """A printed line; a `passing` one will be overwritten by the next (it ended with a carriage return)."""

    text: str
    passing: bool = False


class LineSplitter:
    """Bytes in, lines out. A line is cut after 8 KiB; bytes that are not UTF-8 are shown as replacement characters."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Line]:
        parts = (self._held + data).split(b"\n")
        self._held = parts.pop()
        lines = [line for part in parts for line in self._finish(part)]
        if (bar := self._held.rfind(b"\r", 0, -1)) >= 0:
            passing = self._held[:bar].rpartition(b"\r")[2]
            self._held = self._held[bar + 1 :]
            lines += [Line(_decode(passing[:_LINE_LIMIT]), passing=True)] if passing else []
        while len(self._held) > _LINE_LIMIT:
            cut = _character_start(self._held, _LINE_LIMIT)
            lines.append(Line(_decode(self._held[:cut])))
            self._held = self._held[cut:]
        return lines

    def finish(self) -> list[Line]:
        """The last line, when no newline ended it."""
        held, self._held = self._held, b""
        return self._finish(held) if held else []

    def _finish(self, part: bytes) -> list[Line]:
        text = part.rstrip(b"\r").rpartition(b"\r")[2]
        lines = []
        while len(text) > _LINE_LIMIT:
            cut = _character_start(text, _LINE_LIMIT)
            lines.append(Line(_decode(text[:cut])))
            text = text[cut:]
        return [*lines, Line(_decode(text))]


class Capture:
    """The reading end of a stage's output, its log, and its last lines."""

    def __init__(self, descriptor: int, log: LogFile) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.log = log
        self.ended = False
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._splitter = LineSplitter()

    def read(self) -> list[Line]:
        """The lines of one chunk; empty when nothing is there now."""
        data = self._read_chunk()
        return self._keep(self._splitter.feed(data)) if data else []

    def drain(self) -> list[Line]:
        """All that is there now, at most 4 MiB: a process that was not ended with its stage may still be writing."""
        lines: list[Line] = []
        for _ in range(_DRAIN_CHUNKS):
            data = self._read_chunk()
            if not data:
                break
            lines += self._splitter.feed(data)
        return self._keep(lines + self._splitter.finish())

    def _read_chunk(self) -> bytes | None:
        try:
            data = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return None
        self.ended = not data
        return data

    def close(self) -> None:
        os.close(self.descriptor)
        self.log.close()

    def _keep(self, lines: list[Line]) -> list[Line]:
        for line in lines:
            if not line.passing:
                self.tail.append(line.text)
                self.log.write(line.text)
        return lines


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _character_start(data: bytes, at: int) -> int:
    """The last position up to `at` where a UTF-8 character starts."""
    for position in range(at, max(at - 4, 0), -1):
        if data[position] & 0xC0 != 0x80:
            return position
    return at
