"""The narrow interface to a remote: a store of the same layout as the one here, somewhere else.

What an implementer guarantees: everything is idempotent and may be repeated after a break; nothing shows under its name
before it is whole and checked; two who give the same thing at once do each other no harm. `Transfer` in
`pivot.sync.transfer.transfer` is what the rest of Pivot calls; it decides what moves, in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from pivot.store.exchange import WantedRoot
from pivot.store.odb.objects import Pointer
from pivot.sync.remote.maintenance import Pins, RemoteState, Upkeep
from pivot.sync.remote.upload_source import UploadSource

Given = TypeVar("Given")


class Remote(Protocol):
    """A store that is not here. Opened at the first use; `close` may be called from another thread, to stop it.

    Raises, everywhere: `RemoteError` in the words of the host, `ConnectionLost` when the line broke for good.
    """

    name: str
    url: str

    def exists(self) -> bool:
        """Whether there is a store there at all."""

    def create(self) -> None:
        """Make the store there unless there is one."""

    def sizes(self, ids: Sequence[str]) -> dict[str, int]:
        """Which of these Git objects are there, with their bytes."""

    def large_sizes(self, pointers: Iterable[Pointer]) -> dict[str, int]:
        """Which of these large files are there whole, by BLAKE3."""

    def read(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The bytes of small objects; those that are not there, or are not what was asked for, are left out."""

    def fetch_pack(self, members: Sequence[WantedRoot], bases: Sequence[str]) -> Iterator[bytes]:
        """A pack of objects; `bases` are directories that the receiver has, in whose terms it may be written."""

    def send_pack(self, pack: Callable[[], Iterator[bytes]], count: int) -> None:
        """Take in a pack of `count` objects; `pack` may be called again after a break."""

    def fetch_large(self, pointer: Pointer, offset: int) -> Iterator[bytes]:
        """The bytes of a large file from `offset` on."""

    def send_large(self, pointer: Pointer, writer: str, offer: UploadSource) -> None:
        """Take in a large file. What one `writer` gave before a break is kept and not asked for again."""

    def expect(self, marks: Pins) -> None:
        """Before anything is asked: leave these marks when connecting, so that what it then says can be relied on."""

    def expected(self, names: Iterable[str]) -> RemoteState | None:
        """How things stood when these were marked before anything was asked; None: they were not."""

    def mark(self, marks: Pins) -> tuple[RemoteState, set[str]]:
        """Keep objects from clean-ups that begin after this.

        Tells whether one is under way, and which of the objects are there.
        """

    def reopen(self) -> None:
        """Begin anew: to a program that has a pack open, what a clean-up has removed seems to be there."""

    @property
    def upkeep(self) -> Upkeep:
        """For clean-ups."""

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files by their paths in the store, to write them again."""

    def check(self) -> str:
        """Connect, write, read and delete a probe; a sentence about what is there."""

    def again(self, work: Callable[[], Given]) -> Given:
        """Do `work`; when the line breaks, connect anew after a pause and do it again, a few times."""

    def close(self) -> None: ...
