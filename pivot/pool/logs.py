"""Logs of stages: one file a run, bounded in size, the last few kept.

Where: `<pivot>/logs/<stage, percent-encoded>/<UTC time>.log`.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

_HEAD_LIMIT = 8 << 20
_TAIL_LIMIT = 64 << 10
_RUNS_KEPT = 5
_NAME_LIMIT = 150
_PLAIN = re.compile(r"[A-Za-z0-9_=,@.-]+")


def log_folder(logs: Path, stage: str) -> Path:
    """The folder with the logs of a stage; what a file system could mind in its name is percent-encoded."""
    safe = stage if _PLAIN.fullmatch(stage) else "".join(map(_encode_byte, stage.encode()))
    safe = safe.replace(".", "%2e", 1) if safe.startswith(".") else safe
    return logs / (safe if len(safe) <= _NAME_LIMIT else f"{safe[:_NAME_LIMIT]}%{zlib.crc32(stage.encode()):08x}")


def logs_of(logs: Path, stage: str) -> list[Path]:
    """The logs of a stage, the newest first; empty when it has never printed anything."""
    return sorted(log_folder(logs, stage).glob("*.log"), reverse=True)


def all_logs(logs: Path) -> list[Path]:
    """The logs of all stages, the newest first."""
    return sorted(logs.glob("*/*.log"), key=lambda path: path.name, reverse=True)


def logged_stages(logs: Path, known: Iterable[str]) -> list[str]:
    """The stages that have logs, the last one to run first.

    A long name is cut in that of its folder: such a stage is told where it is among the known ones.
    """
    from urllib.parse import unquote

    names = {log_folder(logs, name): name for name in known}
    folders = dict.fromkeys(path.parent for path in all_logs(logs))
    told = {folder: names.get(folder) or unquote(folder.name) for folder in folders}
    return [name for folder, name in told.items() if log_folder(logs, name) == folder]


def _encode_byte(one: int) -> str:
    return chr(one) if _PLAIN.fullmatch(chr(one)) else f"%{one:02x}"


class LogFile:
    """The log of one run of one stage: the first 8 MiB and the last 64 KiB; made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._head_left = _HEAD_LIMIT
        self._left_out = 0
        self._tail = b""
        self.path = ""

    @property
    def is_full(self) -> bool:
        """Whether the log keeps only the last of what comes now."""
        return not self._head_left

    def write_lines(self, lines: list[str]) -> None:
        if not lines:
            return
        data = "".join(f"{line}\n" for line in lines).encode()
        if self._head_left >= len(data):
            self._head_left -= len(data)
            self._write(data)
            return
        fits = data.rfind(b"\n", 0, self._head_left) + 1
        self._write(data[:fits])
        self._head_left = 0
        self._tail += data[fits:]
        if len(self._tail) > 2 * _TAIL_LIMIT:
            self._cut_tail()

    def leave_out(self, number: int) -> None:
        """So many bytes come next that are not given to the log."""
        if number:
            self._left_out += len(self._tail) + number
            self._tail = b""

    def _cut_tail(self) -> None:
        if len(self._tail) > _TAIL_LIMIT:
            cut = self._tail.find(b"\n", len(self._tail) - _TAIL_LIMIT - 1) + 1
            self._left_out += cut
            self._tail = self._tail[cut:]

    def close(self) -> None:
        self._cut_tail()
        if self._left_out:
            self._write(f"... {self._left_out} bytes left out ...\n".encode())
        if self._tail:
            self._write(self._tail)
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
        seconds, rest = divmod(time.time_ns(), 10**9)  # one look at the clock: names must sort as their times do
        path = self._folder / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(seconds))}-{rest:09}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self.path = str(path)
        return descriptor
