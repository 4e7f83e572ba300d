"""How far a transfer is, counted by whoever moves bytes, from several threads at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec import Struct


class Moving(Struct, frozen=True):
    """An event of a transfer that is under way; `bytes` are those of the files that move, before any compression."""

    verb: str
    objects: int
    of_objects: int
    bytes: int
    of_bytes: int
    seconds: float

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        return (self.of_bytes - self.bytes) / self.rate if self.bytes else None


class Moved(Struct, frozen=True):
    """What a transfer came to: Git objects and large files, their bytes, and the bytes that went over the line."""

    objects: int = 0
    large: int = 0
    bytes: int = 0
    wire: int = 0
    seconds: float = 0.0


Tell = Callable[[Moving], object]


class Tally:
    """Counts, and tells at most some times a second."""

    def __init__(self, verb: str, tell: Tell, of_objects: int, of_bytes: int) -> None:
        self._verb = verb
        self._tell = tell
        self._of = (of_objects, of_bytes)
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._told = 0.0
        self.objects = 0
        self.large = 0
        self.bytes = 0
        self.wire = 0

    def sent(self, count: int) -> None:
        """Bytes have gone over the line."""
        with self._lock:
            self.wire += count

    def add(self, objects: int = 0, size: int = 0, large: int = 0) -> None:
        """Whole objects, or bytes of a large file, are done."""
        with self._lock:
            self.objects += objects
            self.bytes += size
            self.large += large
            now = time.monotonic()
            if now - self._told < 0.1:
                return
            self._told = now
            event = Moving(
                self._verb, self.objects + self.large, self._of[0], self.bytes, self._of[1], now - self._began
            )
        self._tell(event)

    def moved(self) -> Moved:
        return Moved(self.objects, self.large, self.bytes, self.wire, time.monotonic() - self._began)
