"""Which remotes had a store when this repository last came there: one that has none now is not mounted, or was moved.

Where: `<Git folder>/pivot/met/<16 hex>`, a file for each, named by xxh3_64 of the URL that it holds. Lost, it costs
only the warning: a remote without a store then counts as one that nobody has pushed to.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import xxhash

from pivot.errors import RemoteError
from pivot.files import remove_quietly, write_atomic


class KnownStores:
    """What is remembered of one remote."""

    def __init__(self, common_dir: Path, url: str) -> None:
        self._url = url
        data = url.encode("utf-8", "surrogateescape")
        self._data = data
        self._file = common_dir / "pivot/met" / xxhash.xxh3_64_hexdigest(data)

    @property
    def had_a_store(self) -> bool:
        return self._file.is_file()

    def remember(self) -> None:
        """There is a store."""
        if not self.had_a_store:
            with suppress(OSError):  # a repository that may only be read
                write_atomic(self._file, self._data)

    def forget(self) -> None:
        remove_quietly(self._file)

    def gone(self) -> RemoteError:
        """What to say when there is none any more."""
        return RemoteError(
            f"the store at {self._url} is not there any more: is what it stands on mounted?",
            hint=f"If it is gone for good: rm {self._file}",
        )
