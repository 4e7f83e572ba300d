"""Loaders without a format: the path itself, text, bytes, pickles."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivot.pipeline.loaders.protocol import malformed


@dataclass(frozen=True, slots=True)
class PathOnly:
    """The value is the path: the stage opens, or writes, the file or directory itself."""

    def load(self, path: Path) -> Path:
        return path


@dataclass(frozen=True, slots=True)
class Text:
    """A string. Line ends are kept as they are.

    Args:
        encoding: one that Python knows.
    """

    encoding: str = "utf-8"

    def load(self, path: Path) -> str:
        try:
            return path.read_bytes().decode(self.encoding)
        except UnicodeDecodeError as error:
            raise malformed(path, f"{self.encoding} text", error) from error

    def save(self, value: str, path: Path) -> None:
        path.write_bytes(value.encode(self.encoding))

    def empty(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Bytes:
    """The file's bytes."""

    def load(self, path: Path) -> bytes:
        return path.read_bytes()

    def save(self, value: bytes | bytearray | memoryview, path: Path) -> None:
        path.write_bytes(value)

    def empty(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class Pickle:
    """Any Python object. Reading one runs code, and happens only in the stage's own process.

    Args:
        protocol: that of `pickle`; a fixed one, so that every Python version writes the same.
    """

    protocol: int = 5

    def load(self, path: Path) -> Any:
        try:
            return pickle.loads(path.read_bytes())
        except (pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError) as error:
            raise malformed(path, "a pickle that can be read", error) from error

    def save(self, value: Any, path: Path) -> None:
        path.write_bytes(pickle.dumps(value, protocol=self.protocol))
