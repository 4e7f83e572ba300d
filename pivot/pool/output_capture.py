"""What a stage prints: read without blocking, split into lines of bounded length, and written to its log.

A flood costs little more than reading it: beyond what the log keeps and the display can show, bytes are only counted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections import deque

from msgspec import Struct

from pivot.pool.logs import LogFile

_CHUNK = 1 << 18
_DRAIN_CHUNKS = 16
_LINE_LIMIT = 8 << 10
_TAIL_LINES = 20
_TAIL_BYTES = 64 << 10  # of a flood, what may still be shown as the last lines
_PIPE_BYTES = 1 << 18
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux


class PrintedLine(Struct, frozen=True):
    """A printed line; a `passing` one will be overwritten by the next (it ended with a carriage return)."""

    text: str
    passing: bool = False


class Allowance:
    """How much of what a stage prints is shown: a burst at once, then so much a second; `now` is in seconds.

    One that is spent stays so until a quarter of the burst is there again: what is let through costs a hundred times as
    much as what is passed over.
    """

    LINES, LINES_PER_SECOND = 4_096, 512
    BYTES, BYTES_PER_SECOND = 1 << 20, 1 << 17

    def __init__(self, now: float) -> None:
        self._lines = float(self.LINES)
        self._bytes = float(self.BYTES)
        self._since = now
        self.is_spent = False

    def refill(self, now: float) -> None:
        passed, self._since = now - self._since, now
        self._lines = min(self.LINES, self._lines + passed * self.LINES_PER_SECOND)
        self._bytes = min(self.BYTES, self._bytes + passed * self.BYTES_PER_SECOND)
        self.is_spent = self.is_spent and (self._lines < self.LINES / 4 or self._bytes < self.BYTES / 4)

    def take(self, lines: list[PrintedLine]) -> list[PrintedLine]:
        """As many of the first of `lines` as may be shown."""
        shown = 0
        for line in lines:
            if self.is_spent:
                break
            self._lines -= 1
            self._bytes -= len(line.text)
            self.is_spent = self._lines < 1 or self._bytes <= 0
            shown += 1
        return lines if shown == len(lines) else lines[:shown]


class LineSplitter:
    """Bytes in, lines out. A line is cut after 8 KiB; bytes that are not UTF-8 are shown as replacement characters."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[PrintedLine]:
        whole, newline, self._held = (self._held + data).rpartition(b"\n")
        lines = self._split(whole) if newline else []
        if (bar := self._held.rfind(b"\r", 0, -1)) >= 0:
            passing = self._held[:bar].rpartition(b"\r")[2]
            self._held = self._held[bar + 1 :]
            lines += [PrintedLine(_decode(passing[:_LINE_LIMIT]), passing=True)] if passing else []
        while len(self._held) > _LINE_LIMIT:
            cut = _character_start(self._held, _LINE_LIMIT)
            lines.append(PrintedLine(_decode(self._held[:cut])))
            self._held = self._held[cut:]
        return lines

    def finish(self) -> list[PrintedLine]:
        """The last line, when no newline ended it."""
        held, self._held = self._held, b""
        return self._finish(held) if held else []

    def _split(self, whole: bytes) -> list[PrintedLine]:
        texts = [] if b"\r" in whole else _decode(whole).split("\n")
        if texts and max(map(len, texts)) <= _LINE_LIMIT // 4:  # a character has at most four bytes
            return list(map(PrintedLine, texts))
        return [line for part in whole.split(b"\n") for line in self._finish(part)]

    def _finish(self, part: bytes) -> list[PrintedLine]:
        text = part.rstrip(b"\r").rpartition(b"\r")[2]
        lines = []
        while len(text) > _LINE_LIMIT:
            cut = _character_start(text, _LINE_LIMIT)
            lines.append(PrintedLine(_decode(text[:cut])))
            text = text[cut:]
        return [*lines, PrintedLine(_decode(text))]


class Capture:
    """The reading end of a stage's output, its log, and its last lines."""

    def __init__(self, descriptor: int, log: LogFile) -> None:
        os.set_blocking(descriptor, False)
        if _SET_PIPE_SIZE is not None:
            with contextlib.suppress(OSError):  # the user's pipes have taken all that one user may have
                fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE_BYTES)
        self.descriptor = descriptor
        self.log = log
        self.ended = False
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._splitter = LineSplitter()
        self._allowance = Allowance(time.monotonic())
        self._not_shown = 0
        self._flood = b""

    def read(self) -> list[PrintedLine]:
        """The lines of one chunk that are to be shown; empty when nothing is there now."""
        data = self._read_chunk()
        return self._take(data) if data else []

    def drain(self) -> list[PrintedLine]:
        """All that is there now, at most 4 MiB: a process that was not ended with its stage may still be writing."""
        lines: list[PrintedLine] = []
        for _ in range(_DRAIN_CHUNKS):
            data = self._read_chunk()
            if not data:
                break
            lines += self._take(data)
        lines += self._show(self._keep(self._end_flood() + self._splitter.finish()))
        return lines + self._say_not_shown()

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

    def _take(self, data: bytes) -> list[PrintedLine]:
        self._allowance.refill(time.monotonic())
        if self._allowance.is_spent and self.log.is_full:
            self._pass_over(data)
            return []
        return self._show(self._keep(self._end_flood() + self._splitter.feed(data)))

    def _pass_over(self, data: bytes) -> None:
        """Bytes that neither the log nor the display wants, but for the last of them."""
        self._not_shown += data.count(b"\n")
        if not self._flood:  # else it would be taken for the beginning of a line that comes much later
            self._keep(self._splitter.finish())
        kept = data if len(data) >= _TAIL_BYTES else self._flood + data
        dropped = len(self._flood) + len(data) - min(len(kept), _TAIL_BYTES)
        self._flood = kept[-_TAIL_BYTES:]
        self.log.leave_out(dropped)

    def _end_flood(self) -> list[PrintedLine]:
        flood, self._flood = self._flood, b""
        self._not_shown -= flood.count(b"\n")
        return self._splitter.feed(flood) if flood else []

    def _keep(self, lines: list[PrintedLine]) -> list[PrintedLine]:
        lasting = [line.text for line in lines if not line.passing]
        self.tail.extend(lasting[-_TAIL_LINES:])
        self.log.write_lines(lasting)
        return lines

    def _show(self, lines: list[PrintedLine]) -> list[PrintedLine]:
        shown = self._allowance.take(lines)
        said = self._say_not_shown() if shown else []
        self._not_shown += sum(not line.passing for line in lines[len(shown) :])
        return said + shown

    def _say_not_shown(self) -> list[PrintedLine]:
        number, self._not_shown = self._not_shown, 0
        return [PrintedLine(f"... {number} lines not shown ...")] if number > 0 else []


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _character_start(data: bytes, at: int) -> int:
    """The last position up to `at` where a UTF-8 character starts."""
    for position in range(at, max(at - 4, 0), -1):
        if data[position] & 0xC0 != 0x80:
            return position
    return at
