"""What a stage prints: read without blocking, split into lines, kept in a log file of bounded size."""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 16
_DRAIN_CHUNKS = 64
_LINE_LIMIT = 8 << 10
_HEAD_LIMIT = 8 << 20
_TAIL_LIMIT = 64 << 10
_TAIL_LINES = 20
_RUNS_KEPT = 5
_NAME_LIMIT = 150


@dataclass(frozen=True, slots=True)
class Line:
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


class LogFile:
    """The log of one run of one stage: the first 8 MiB and the last 64 KiB; made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._head_left = _HEAD_LIMIT
        self._left_out = 0
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self.path = ""

    def write(self, text: str) -> None:
        data = text.encode() + b"\n"
        if self._head_left >= len(data):
            self._head_left -= len(data)
            self._write(data)
            return
        self._head_left = 0
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size > _TAIL_LIMIT:
            dropped = len(self._tail.popleft())
            self._tail_size -= dropped
            self._left_out += dropped

    def close(self) -> None:
        if self._left_out:
            self._write(f"... {self._left_out} bytes left out ...\n".encode())
        if self._tail:
            self._write(b"".join(self._tail))
        if self._file is None and self._folder.is_dir():
            self._write(b"")  # else the log of an older run would pass for this one's
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, data: bytes) -> None:
        # A full disk or a read-only repository costs the log, not the run.
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = self._create()
            os.write(self._file, data)

    def _create(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._folder.glob("*.log"))[: 1 - _RUNS_KEPT or None]:
            old.unlink(missing_ok=True)
        path = self._folder / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{time.time_ns() % 10**9:09}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self.path = str(path)
        return descriptor


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


def log_folder(logs: Path, stage: str) -> Path:
    """The folder with the logs of a stage; what a file system could mind in its name is percent-encoded."""
    safe = "".join(
        chr(one) if (one < 128 and chr(one).isalnum()) or one in b"-_=,@." else f"%{one:02x}" for one in stage.encode()
    )
    safe = safe.replace(".", "%2e", 1) if safe.startswith(".") else safe
    return logs / (safe if len(safe) <= _NAME_LIMIT else f"{safe[:_NAME_LIMIT]}%{zlib.crc32(stage.encode()):08x}")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _character_start(data: bytes, at: int) -> int:
    """The last position up to `at` where a UTF-8 character starts."""
    for position in range(at, max(at - 4, 0), -1):
        if data[position] & 0xC0 != 0x80:
            return position
    return at
