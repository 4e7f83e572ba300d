"""A large file here that a remote takes: sent from any offset on, and hashed meanwhile by another thread."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from pivot.sync.remote.channel import BLOCK, Channel

AT_ONCE = 4 * BLOCK  # bytes that a channel is asked to take from the file


class UploadSource:
    """A file at `path`; `sent` hears how many bytes went, `kept` how many were there from before."""

    def __init__(self, path: str, sent: Callable[[int], object], kept: Callable[[int], object]) -> None:
        self._path = path
        self._sent = sent
        self._kept = kept
        self._digest = ""

    def whole(self) -> bytes:
        """All of it, for a file that is no burden."""
        with open(self._path, "rb") as file:
            data = file.read()
        self._sent(len(data))
        return data

    def pour(self, channel: Channel, offset: int) -> str:
        """Give a program the rest of the file as its input; the SHA-256 of the whole."""
        hashing = threading.Thread(target=self._hash, daemon=True)
        hashing.start()
        self._kept(offset)
        with open(self._path, "rb", buffering=0) as file:
            try:
                while count := channel.send_file(file.fileno(), offset, AT_ONCE):
                    offset += count
                    self._sent(count)
            except BrokenPipeError:
                pass  # why it wants no more is for `finish` to tell
        channel.end()
        hashing.join()
        return self._digest

    def _hash(self) -> None:
        if not self._digest:
            with open(self._path, "rb", buffering=0) as file:
                self._digest = hashlib.file_digest(file, "sha256").hexdigest()
