"""A remote whose store is reached through a shell: plain `git` plumbing there, over whatever connection leads to it."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from pivot.errors import ConnectionLost, DamagedObject, MissingObject, RemoteError
from pivot.store.exchange import WantedRoot
from pivot.store.odb.large_files import seal_time
from pivot.store.odb.objects import Pointer
from pivot.sync.remote import shell_scripts
from pivot.sync.remote.batch_sessions import CheckSession, ReadSession
from pivot.sync.remote.channel import BLOCK, Channel, Connection, ProgramExit, converse, feed
from pivot.sync.remote.known_stores import KnownStores
from pivot.sync.remote.maintenance import Pins, RemoteState, Upkeep, as_size, parse_state, size_and_path
from pivot.sync.remote.packs import pack_list
from pivot.sync.remote.remote import Given
from pivot.sync.remote.upload_source import UploadSource

TRIES = 4
WHOLE = 4 << 20  # bytes up to which a large file is hashed before it is sent, and needs one command instead of two
BIG = 32 << 20  # bytes from which it is worth it to start a program on the host that hashes what comes
_FEW_MARKS = 500  # as many as a command has room for
_FEW = 100  # objects; below it they become loose ones there
_PAUSE = 0.5


class HostRemote:
    """Every command is a program of its own on one connection, which is opened again when it breaks."""

    def __init__(
        self, name: str, url: str, store: str, connect: Callable[[], Connection], *, met: KnownStores | None = None
    ) -> None:
        self.name = name
        self.url = url
        self._store = store
        self._connect = connect
        self._connection: Connection | None = None
        self._anchor: CheckSession | None = None
        self._reader: ReadSession | None = None
        self._lock = threading.RLock()
        self._closed = False
        self._was_reached = False
        self._met = met
        self._expected: Pins | None = None
        self.pause = _PAUSE  # seconds before the second try; doubled each time

    def sizes(self, ids: Sequence[str]) -> dict[str, int]:
        return self.again(lambda: self._anchored().sizes(ids)) if ids else {}

    def exists(self) -> bool:
        anchor = self.again(self._opened)
        if not anchor.ready and anchor.ended.code != shell_scripts.ABSENT:
            self._refuse(anchor.ended)
        return anchor.ready

    def create(self) -> None:
        """Make the store there unless there is one."""
        self.again(lambda: self._anchored(create=True))

    def large_sizes(self, pointers: Iterable[Pointer]) -> dict[str, int]:
        wanted = {_large(one): one for one in pointers}
        found = self._file_sizes(list(wanted))
        return {wanted[path].blake3: size for path, size in found.items() if wanted[path].size == size}

    def read(self, ids: Sequence[str]) -> dict[str, bytes]:
        return self.again(lambda: self._read(ids)) if ids else {}

    def fetch_pack(self, members: Sequence[WantedRoot], bases: Sequence[str]) -> Iterator[bytes]:
        options = () if bases else ("--window=0",)
        with self._program(shell_scripts.fetch_pack(self._store, *options)) as channel:
            feed(channel, [pack_list(members, bases)])
            while block := channel.read(BLOCK):
                yield block
            self._expect(channel.finish())

    def send_pack(self, pack: Callable[[], Iterator[bytes]], count: int) -> None:
        def take() -> None:
            with self._program(shell_scripts.send_pack(self._store, few=count < _FEW)) as channel:
                feed(channel, pack())
                self._expect(channel.finish())

        self.again(take)

    def fetch_large(self, pointer: Pointer, offset: int) -> Iterator[bytes]:
        with self._program(shell_scripts.fetch_large(self._store, _large(pointer), offset)) as channel:
            channel.end()
            while block := channel.read(BLOCK):
                yield block
            self._expect(channel.finish())

    def send_large(self, pointer: Pointer, writer: str, offer: UploadSource) -> None:
        part = f"tmp/.pivot-tmp-{pointer.blake3[:40]}-{writer}"
        how = self._take_whole if pointer.size <= WHOLE else self._take_rest
        self.again(lambda: how(pointer, part, offer))

    def expect(self, marks: Pins) -> None:
        if self._anchor is None and len(marks.names) <= _FEW_MARKS:
            self._expected = marks

    def expected(self, names: Iterable[str]) -> RemoteState | None:
        known = self._expected and self._anchor and self._expected.names.issuperset(names)
        return self._anchor.standing if known and self._anchor else None

    def mark(self, marks: Pins) -> tuple[RemoteState, set[str]]:
        data = "".join(f"{line}\n" for line in marks.lines).encode()
        command = shell_scripts.mark(self._store, marks.key, marks.files)
        answer = self.again(lambda: self._ask(command, data)).decode("utf-8", "replace")
        told, *lines = answer.splitlines() or [""]
        return parse_state(told), {line for line in lines if not line.endswith(" missing")}

    def reopen(self) -> None:
        self._drop()

    @property
    def upkeep(self) -> Upkeep:
        return Upkeep(self._store, lambda command, data: self.again(lambda: self._ask(command, data)))

    def remove(self, paths: Iterable[str]) -> None:
        names = "".join(f"{path}\n" for path in paths)
        if names:
            self.again(lambda: self._ask(shell_scripts.remove(self._store), names.encode()))

    def check(self) -> str:
        git = self.again(lambda: self._anchored(create=True).version)
        room = self.again(lambda: self._ask(shell_scripts.probe(self._store), b"")).decode().split()
        free = f", {int(room[3]) >> 20} GiB free" if len(room) > 3 and room[3].isdecimal() else ""
        return f"{git}{free}"

    def close(self) -> None:
        self._closed = True
        self._drop()

    def _take_whole(self, pointer: Pointer, part: str, offer: UploadSource) -> None:
        data = offer.whole()
        sha256 = hashlib.sha256(data).hexdigest()
        command = shell_scripts.take_whole(self._store, _large(pointer), part, seal_time(pointer.blake3), sha256)
        if self._ask(command, data).split()[-1:] != [b"stored"]:
            raise DamagedObject(f"large file {pointer.blake3} came to {self.url} with other bytes")

    def _take_rest(self, pointer: Pointer, part: str, offer: UploadSource) -> None:
        """Send what is not there of a partial file; one that turns out to be wrong is sent once more from the start."""
        for offset in (self._file_sizes([part]).get(part, 0), 0):
            stamp = seal_time(pointer.blake3)
            if offset == 0 or offset > pointer.size:
                self.remove([part])
                offset = 0  # noqa: PLW2901
            if self._append(part, offset, offer, pointer.size):
                self._ask(shell_scripts.publish(self._store, _large(pointer), part, stamp), b"")
                return
        raise DamagedObject(f"large file {pointer.blake3} came to {self.url} with other bytes", hint="git pivot push")

    def _append(self, part: str, offset: int, offer: UploadSource, size: int) -> bool:
        """Send from `offset` on; whether the host has then seen the bytes that are here."""
        with self._program(shell_scripts.send_large(self._store, part, offset, is_big=size - offset >= BIG)) as channel:
            digest = offer.pour(channel, offset)
            told = b"".join(iter(lambda: channel.read(BLOCK), b""))
            self._expect(channel.finish())
        words = told.decode("ascii", "replace").split()
        return bool(words) and (words[0], as_size(words[-1])) == (digest, size)

    def _read(self, ids: Sequence[str]) -> dict[str, bytes]:
        self._anchored()
        with self._lock:
            if self._reader is None and self._connection is not None:
                self._reader = ReadSession(self._connection.start(shell_scripts.read_objects(self._store)), self.url)
            reader = self._reader
        if reader is None:
            raise ConnectionLost(f"the connection to {self.url} is closed")
        return reader.read(ids)

    def _file_sizes(self, paths: Sequence[str]) -> dict[str, int]:
        if not paths:
            return {}
        names = "".join(f"{path}\n" for path in paths).encode()
        told = self.again(lambda: self._ask(shell_scripts.sizes(self._store), names)).decode("utf-8", "surrogateescape")
        return {path: size for size, path in map(size_and_path, told.splitlines())}

    def _ask(self, command: str, data: bytes) -> bytes:
        """Run a program to its end; what it wrote."""
        with self._program(command) as channel:
            told = b"".join(converse(channel, data))
            self._expect(channel.finish())
        return told

    @contextmanager
    def _program(self, command: str) -> Iterator[Channel]:
        self._anchored()
        with self._lock:
            connection = self._connection
        if connection is None:
            raise ConnectionLost(f"the connection to {self.url} is closed")
        channel = connection.start(command)
        try:
            yield channel
        finally:
            channel.close()

    def _anchored(self, *, create: bool = False) -> CheckSession:
        anchor = self._opened(create=create)
        if not anchor.ready:
            self._refuse(anchor.ended)
        return anchor

    def _opened(self, *, create: bool = False) -> CheckSession:
        with self._lock:
            if self._closed:
                raise ConnectionLost(f"the connection to {self.url} is closed")
            if self._anchor is None or (create and not self._anchor.ready):
                self._drop()
                self._connection = self._connect()
                early = self._expected
                marks = (early.key, " ".join(early.lines), early.files) if early else None
                command = shell_scripts.anchor(self._store, create=create and not self._had_a_store, marks=marks)
                self._anchor = CheckSession(self._connection.start(command), self.url)
                self._was_reached = True
                self._compare(self._anchor)
            return self._anchor

    @property
    def _had_a_store(self) -> bool:
        return self._met is not None and self._met.had_a_store

    def _compare(self, anchor: CheckSession) -> None:
        """Remember that there is a store; that there was one and is none now is no "nothing there"."""
        if self._met and anchor.ready:
            self._met.remember()
        elif self._met and self._met.had_a_store and anchor.ended.code == shell_scripts.ABSENT:
            raise self._met.gone()

    def again(self, work: Callable[[], Given]) -> Given:
        """Do it; connect anew and do it again when the line breaks."""
        pause = self.pause
        for number in range(TRIES - 1):
            try:
                return work()
            except ConnectionLost:
                if self._closed or (number and not self._was_reached):  # each try may take the whole time limit
                    raise
            self._drop()
            time.sleep(pause * random.uniform(0.5, 1))
            pause *= 2
        return work()

    def _drop(self) -> None:
        with self._lock:
            anchor, self._anchor = self._anchor, None
            reader, self._reader = self._reader, None
            connection, self._connection = self._connection, None
        for program in (reader, anchor):
            if program:
                program.close()
        if connection:
            connection.close()

    def _expect(self, ended: ProgramExit) -> None:
        if ended.code:
            self._refuse(ended)

    def _refuse(self, ended: ProgramExit) -> NoReturn:
        raise refusal(ended, self.name, self.url)


def refusal(ended: ProgramExit, name: str, url: str) -> RemoteError | MissingObject:
    """What went wrong on a host, in a sentence with a way out."""
    if ended.code == shell_scripts.ABSENT:
        reason = f" ({ended.complaint})" if "ermission" in ended.complaint or "ead-only" in ended.complaint else ""
        hint = "Ask who runs the host for write permission there." if reason else f"git pivot push --remote {name}"
        return RemoteError(f"there is no store at {url}{reason}", hint=hint)
    if ended.code == shell_scripts.NO_GIT:
        return RemoteError(f"the host of {url} has no git", hint="Install Git there; nothing else is needed.")
    if ended.code in (shell_scripts.CLEANING, shell_scripts.TAKEN_OVER):
        return RemoteError(f"{url} is being cleaned up by somebody else", hint="Wait for it, and run again.")
    if ended.code == shell_scripts.FOREIGN:
        reason = "it has branches or tags, or other things in it"
        return RemoteError(f"{url} is not a store of outputs: {reason}", hint="Choose an empty or a new folder.")
    if ended.code == shell_scripts.LATER:
        return RemoteError(f"a later version of Pivot made the store at {url}", hint="Update git-pivot.")
    if "o space left" in ended.complaint or "uota exceeded" in ended.complaint:
        hint = "Make room there, and run again: what is there is not sent again."
        return RemoteError(f"the disk of {url} is full", hint=hint)
    if "ermission denied" in ended.complaint or "ead-only" in ended.complaint:
        return RemoteError(
            f"{url} cannot be written: {ended.complaint}", hint="Ask who runs the host for write permission there."
        )
    return RemoteError(
        f"{url} said: {ended.complaint or f'exit code {ended.code}'}", hint=f"git pivot remote check {name}"
    )


def _large(pointer: Pointer) -> str:
    return f"large/{pointer.blake3[:2]}/{pointer.blake3[2:]}"
