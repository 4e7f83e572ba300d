"""Looking after a remote's store: what is there, how old, what pushers rely on; and removing, while pushers wait.

A pusher first marks what it relies on there, then looks whether a clean-up has announced itself. A clean-up first
announces itself, then reads the marks. So whichever comes first, at least one of them sees the other. The announcement
is the file `collecting`; its text is the clean-up's token, and without that every removal stops. What ended in the
middle leaves the word `interrupted` there: until a clean-up ends well, an object that is there says nothing about what
is below it, and pushers look at everything.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum

from msgspec import Struct

from pivot.errors import RemoteError
from pivot.git.plumbing.quoting import quoted
from pivot.sync.remote import shell_scripts

MINUTE = 60  # seconds
_DIGITS = 18  # of a number of bytes
_PACK_NAME = re.compile(r"[0-9a-f]{40}")
AT_ONCE = 5_000  # files that one command removes

Ask = Callable[[str, bytes], bytes]
"""Runs a command on the host with its input, and gives what it wrote."""


class HostFile(Struct, frozen=True):
    """A file of a remote, by its path in the store; `is_old`: older than asked for."""

    path: str
    size: int
    is_old: bool


class Listed(Struct, frozen=True):
    """A Git object of a remote: kind, its bytes, and those that it takes on the disk there."""

    kind: str
    size: int
    on_disk: int


class RemoteState(Enum):
    """Whether an object that is there has all that is below it; INTERRUPTED after a clean-up that was cut off."""

    OK = ""
    INTERRUPTED = "interrupted"
    GC_RUNNING = "cleaning"


class Pins(Struct, frozen=True):
    """What a pusher relies on: `<mode>-<object id>` and `large-<BLAKE3>`; and the Git remotes a clean-up must ask."""

    names: frozenset[str]
    origins: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        return sorted(self.names)

    @property
    def key(self) -> str:
        """What a list of them is called: the same list is kept once."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:40]

    @property
    def files(self) -> dict[str, str]:
        """The origins by the names of their files."""
        return {hashlib.sha256(one.encode()).hexdigest()[:16]: one for one in self.origins}


class Upkeep:
    """The store of a remote, as whoever looks after it sees it."""

    def __init__(self, store: str, ask: Ask) -> None:
        self._store = store
        self._ask = ask

    def origins(self) -> list[str]:
        """The Git remotes whose clones have pushed here."""
        return sorted(set(self._lines(shell_scripts.origins(self._store))))

    def marks(self, seconds: float) -> set[str]:
        """What was marked in the last seconds, as `<mode>-<object id>` or `large-<BLAKE3>`."""
        told = self._lines(shell_scripts.marks(self._store, _minutes(seconds)))
        return {line.rpartition("/")[2] for line in told}

    def objects(self) -> Mapping[str, Listed]:
        """Every Git object there."""
        rows = (line.split() for line in self._lines(shell_scripts.list_objects(self._store)))
        return {row[0]: Listed(row[1], as_size(row[2]), as_size(row[3])) for row in rows if len(row) == 4}

    def files(self, seconds: float) -> list[HostFile]:
        """Every file there, and whether it came there more than some seconds ago, whatever time it shows."""
        listed, old = _parted(self._lines(shell_scripts.files(self._store, _minutes(seconds))))
        aged = set(old)
        rows = map(size_and_path, listed)
        return [HostFile(path, size, seconds == 0 or path in aged) for size, path in rows]

    def leftovers(self, seconds: float) -> list[HostFile]:
        """Temporary and partial files, and marks, that nobody has touched for some seconds."""
        rows = map(size_and_path, self._lines(shell_scripts.leftovers(self._store, _minutes(seconds))))
        return [HostFile(path, size, is_old=True) for size, path in rows]

    def packed(self, indexes: Sequence[str]) -> dict[str, list[str]]:
        """The ids in packs, by the paths of their indexes."""
        found: dict[str, list[str]] = {}
        names = "".join(f"{path}\n" for path in indexes)
        ids: list[str] = []
        for line in self._lines(shell_scripts.packed(self._store), names) if indexes else ():
            if line.startswith("objects/"):
                ids = found.setdefault(line, [])
            else:
                ids.append(_second(line))
        return found

    def repack(self, ids: Iterable[str]) -> str:
        """Write these objects into a pack of their own; the path of that pack without its ending."""
        told = self._lines(shell_scripts.repack(self._store), "".join(f"{oid}\n" for oid in ids))
        if not told or not _PACK_NAME.fullmatch(told[-1]):
            raise no_answer(told[-1] if told else "")
        return f"objects/pack/pack-{told[-1]}"

    @contextmanager
    def cleaning(self) -> Iterator[Cleaning]:
        """Announce a clean-up, and take that back at the end; the pushers that come meanwhile wait.

        Raises:
            RemoteError: another one is under way.
        """
        token = f"{secrets.token_hex(8)}"
        before = self._ask(shell_scripts.begin(self._store, token), b"").decode().strip()
        cleaning = Cleaning(self._store, self._ask, token)
        is_whole = False
        try:
            yield cleaning
            is_whole = True
        finally:
            untouched = not cleaning.has_removed and before != RemoteState.INTERRUPTED.value
            self._ask(shell_scripts.end(self._store, token, is_whole=is_whole or untouched), b"")

    def _lines(self, command: str, given: str = "") -> list[str]:
        return self._ask(command, given.encode()).decode("utf-8", "surrogateescape").splitlines()


class Cleaning:
    """A clean-up that is announced."""

    def __init__(self, store: str, ask: Ask, token: str) -> None:
        self._store = store
        self._ask = ask
        self._token = token
        self.has_removed = False

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files by their paths in the store, unless somebody took this clean-up for dead meanwhile.

        Raises:
            RemoteError: somebody did.
        """
        for at in range(0, len(paths), AT_ONCE):
            self.has_removed = True
            names = "".join(f"{path}\n" for path in paths[at : at + AT_ONCE])
            self._ask(shell_scripts.remove_as(self._store, self._token), names.encode())

    def still(self) -> None:
        """Say that it goes on; the same error."""
        self._ask(shell_scripts.remove_as(self._store, self._token), b"")


def parse_state(text: str) -> RemoteState:
    """What an announcement says, or that there is none."""
    return (
        RemoteState(text) if text in (RemoteState.OK.value, RemoteState.INTERRUPTED.value) else RemoteState.GC_RUNNING
    )


def size_and_path(line: str) -> tuple[int, str]:
    """From a line of `ls -ln`: the paths of a store hold no blanks."""
    words = line.split()
    if len(words) < 6:
        raise no_answer(line)
    return as_size(words[4]), words[-1]


def as_size(word: bytes | str) -> int:
    """A number of bytes as a host states it. Raises `RemoteError` for anything else."""
    if not word.isdigit() or not word.isascii() or len(word) > _DIGITS:
        raise no_answer(word)
    return int(word)


def no_answer(line: bytes | str) -> RemoteError:
    """A host that says something else than was asked, such as the greeting of a shell in between."""
    said = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
    hint = "Its login shell must print nothing when it runs a command. Run `git pivot remote check`."
    return RemoteError(f"the host answered {quoted(said[:80])}, which is no answer", hint=hint)


def _second(line: str) -> str:
    words = line.split()
    if len(words) < 2:
        raise no_answer(line)
    return words[1]


def _minutes(seconds: float) -> int:
    """Rounded up: what is young is kept."""
    return -int(-seconds // MINUTE)


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    at = lines.index("old") if "old" in lines else len(lines)
    return lines[:at], lines[at + 1 :]
