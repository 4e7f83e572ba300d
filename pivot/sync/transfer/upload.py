"""Giving objects to a remote: large files first, then what is small, directories last and from below.

So an object that is there has everything below it there too, whatever was cut off, and a push asks only for roots.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct, field

from pivot.errors import MissingObject
from pivot.git.odb.backend import TREE
from pivot.store.exchange import Exchange, Member, WantedRoot
from pivot.store.odb.objects import Pointer
from pivot.sync.remote.packs import counted, cut, make_pack
from pivot.sync.remote.remote import Remote
from pivot.sync.remote.upload_source import UploadSource
from pivot.sync.transfer.progress import Moved, Tally, Tell

FEW = 1000  # objects that may go in one pack, whatever they are
MOST_BASES = 8  # old directories that one pack is written in terms of; git looks at ten


class Asked(Struct, frozen=True):
    """What is to be there: `roots`; `bases` are directories of older results that the remote may have.

    `standing` are roots that were found there already, and of which nothing need be here.
    """

    roots: tuple[WantedRoot, ...] = ()
    bases: tuple[str, ...] = ()
    standing: tuple[WantedRoot, ...] = ()


class Sending(Struct, frozen=True):
    """What a remote lacks of some roots. `absent` are objects that are not here either.

    `relied` (by id, with modes) and `relied_large` are there already, and must stay.
    """

    members: tuple[Member, ...] = ()
    large: tuple[Pointer, ...] = ()
    bases: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    asked: Asked = Asked()
    relied: Mapping[str, int] = field(default_factory=dict)
    relied_large: frozenset[Pointer] = frozenset()

    @property
    def objects(self) -> int:
        return len(self.members) + len(self.large)

    @property
    def bytes(self) -> int:
        return sum(one.size for one in self.members) + sum(one.size for one in self.large)


def plan_sending(exchange: Exchange, remote: Remote, asked: Asked, *, trusting: bool = True) -> Sending:
    """Ask the remote what it lacks.

    Who is not `trusting` asks for everything below the roots, and below those that were found there.
    """
    wanted = {root.id: root for root in asked.roots}
    found = {root.id: root for root in asked.standing}
    exists = remote.exists()
    there = remote.sizes([*wanted, *found, *asked.bases]) if exists else {}
    missing = [root for root in wanted.values() if root.id not in there]
    closure = exchange.closure(missing)
    absent = tuple(sorted(closure.absent))
    if not trusting:
        closure = exchange.closure([*wanted.values(), *found.values()])
    known = remote.sizes(list(closure.members)) if exists and closure.members else {}
    members = [one for one in closure.members.values() if one.id not in known]
    files = [one for one in members if one.mode != TREE]
    folders = [one for one in members if one.mode == TREE]
    old = [base for base in asked.bases if base in there and exchange.tree(base) is not None][:MOST_BASES]
    large = {pointer.blake3: pointer for pointer in closure.large.values()}
    whole = remote.large_sizes(large.values()) if exists and large else {}
    relied = {root.id: root.mode for root in (*wanted.values(), *found.values()) if root.id in there}
    relied |= {one.id: one.mode for one in closure.members.values() if one.id in known}
    return Sending(
        (*files, *folders),
        tuple(one for one in large.values() if one.blake3 not in whole),
        tuple(old if members else ()),
        absent,
        asked,
        relied,
        frozenset(one for one in large.values() if one.blake3 in whole),
    )


class Manner(Struct, frozen=True):
    """How a transfer goes: `writer` names partial files, `tell` hears of progress, `jobs` large files move at once.

    `origins` are the Git remotes of whoever pushes.
    """

    writer: str
    tell: Tell
    jobs: int
    origins: tuple[str, ...] = ()


def send(exchange: Exchange, remote: Remote, plan: Sending, manner: Manner) -> Moved:
    """Give a remote what it lacks.

    Raises:
        MissingObject: some of it is not here; nothing is sent then.
    """
    if plan.absent:
        raise MissingObject(f"the store does not have {plan.absent[0]}", where=exchange.path, hint="git pivot fsck")
    tally = Tally("pushing", manner.tell, plan.objects, plan.bytes)
    sender = _Sender(exchange, remote, tally, manner.writer, plan.bases)
    files = [one for one in plan.members if one.mode != TREE]
    folders = [one for one in plan.members if one.mode == TREE]
    try:
        in_parallel(sender.large, plan.large, manner.jobs)
        if len(files) + len(folders) < FEW:
            files, folders = [], [*files, *folders]
        in_parallel(sender.part, cut(files), min(manner.jobs, 2))
        for part in cut(folders):
            sender.part(part)
    except BaseException:
        remote.close()  # or a thread would go on moving what nobody waits for
        raise
    return tally.moved()


def in_parallel(work: Callable[[Any], object], items: Iterable[Any], jobs: int) -> None:
    """Do `work` for each item in a few threads; the first error stops the rest."""
    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        for done in [pool.submit(work, item) for item in items]:
            done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Sender:
    def __init__(self, exchange: Exchange, remote: Remote, tally: Tally, writer: str, bases: Sequence[str]) -> None:
        self._exchange = exchange
        self._remote = remote
        self._tally = tally
        self._writer = writer
        self._bases = bases

    def part(self, part: list[Member]) -> None:
        def pack() -> Iterator[bytes]:
            return counted(make_pack(self._exchange.path, part, self._bases), self._tally.sent)

        self._remote.send_pack(pack, len(part))
        self._tally.add(len(part), sum(one.size for one in part))

    def large(self, pointer: Pointer) -> None:
        done = 0

        def kept(count: int) -> None:
            nonlocal done
            self._tally.add(size=count - done)  # in a second try less than nothing, perhaps
            done = count

        def sent(count: int) -> None:
            nonlocal done
            done += count
            self._tally.sent(count)
            self._tally.add(size=count)

        self._remote.send_large(pointer, self._writer, UploadSource(self._exchange.large_path(pointer), sent, kept))
        self._tally.add(size=pointer.size - done, large=1)


def writer_of(common_dir: str) -> str:
    """A name for partial files on a remote by which the same clone finds its own again, and nobody else's."""
    return hashlib.sha256(f"{os.uname().nodename}:{common_dir}".encode("utf-8", "surrogateescape")).hexdigest()[:12]
