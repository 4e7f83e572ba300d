"""Taking objects from a remote: directories level by level, then files, then large files; all of it checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from pivot.errors import DamagedObject, MissingObject
from pivot.git.odb.backend import TREE
from pivot.store.exchange import Exchange, Member, WantedRoot, read_level
from pivot.store.odb.objects import MOST_DEPTH, POINTER_MAX, Pointer, parse_pointer
from pivot.sync.remote.packs import counted, cut, receive_pack
from pivot.sync.remote.remote import Remote
from pivot.sync.transfer.progress import Moved, Tally
from pivot.sync.transfer.upload import MOST_BASES, Manner, in_parallel

POINTER_MIN = 98  # bytes; no pointer is shorter


class Receiving(Struct):
    """What is lacking here of some roots; `absent`: the remote does not have it either."""

    roots: tuple[WantedRoot, ...] = ()
    trees: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Member] = field(default_factory=dict)
    large: dict[str, Pointer] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    absent: set[str] = field(default_factory=set)

    @property
    def objects(self) -> int:
        return len(self.trees) + len(self.files) + len(self.large)

    @property
    def bytes(self) -> int:
        return sum(one.size for one in self.files.values()) + sum(one.size for one in self.large.values())


def plan_receiving(exchange: Exchange, remote: Remote, roots: Iterable[WantedRoot], bases: Sequence[str]) -> Receiving:
    """Ask the remote for what is not here: directories are read, files only counted."""
    plan = Receiving(tuple(roots))
    files = _walk(exchange, remote, plan)
    lacking = [one for one in files.values() if not exchange.has(one.id)]
    sizes = remote.sizes([one.id for one in lacking])
    for one in lacking:
        if one.id in sizes:
            plan.files[one.id] = Member(one.id, one.mode, sizes[one.id], one.path)
        else:
            plan.absent.add(one.id)
    short = [one.id for one in plan.files.values() if POINTER_MIN <= one.size <= POINTER_MAX]
    coming = {oid: parse_pointer(data) for oid, data in remote.read(short).items()}
    here = {oid: exchange.pointer(oid) for oid in files if oid not in plan.files}
    large = {pointer.blake3: pointer for pointer in (here | coming).values() if pointer}
    plan.large = {name: pointer for name, pointer in large.items() if not exchange.has_large(pointer)}
    if plan.large:
        there = remote.large_sizes(plan.large.values())
        plan.absent.update(name for name in plan.large if name not in there)
        plan.large = {name: pointer for name, pointer in plan.large.items() if name in there}
    old = [base for base in bases if exchange.tree(base) is not None]
    there = remote.sizes(old) if plan.files and old else {}
    plan.bases = tuple(base for base in old if base in there)[:MOST_BASES]
    return plan


def receive(exchange: Exchange, remote: Remote, plan: Receiving, manner: Manner) -> Moved:
    """Bring what is lacking. What has come before a break is kept.

    Raises:
        MissingObject: the remote lacks some of it; the rest is here then.
        DamagedObject: the remote has other bytes under a name; they are not kept.
    """
    receiver = _Receiver(exchange, remote, Tally("pulling", manner.tell, plan.objects, plan.bytes))
    try:
        with exchange.adding(plan.roots):
            exchange.take_trees(plan.trees)
            receiver.tally.add(len(plan.trees))
            for part in cut(plan.files.values()):
                receiver.part(part, plan.bases)
            in_parallel(receiver.large, plan.large.values(), manner.jobs)
    except BaseException:
        remote.close()
        raise
    if plan.absent:
        raise MissingObject(
            f"{remote.name} does not have {len(plan.absent)} of the objects, such as {min(plan.absent)}",
            where=remote.url,
            hint="Push from the clone that made them: git pivot push --all",
        )
    return receiver.tally.moved()


class _Receiver:
    def __init__(self, exchange: Exchange, remote: Remote, tally: Tally) -> None:
        self.tally = tally
        self._exchange = exchange
        self._remote = remote

    def part(self, part: list[Member], bases: Sequence[str]) -> None:
        members = [WantedRoot(one.id, one.mode, one.path) for one in part]

        def take() -> None:
            receive_pack(self._exchange, counted(self._remote.fetch_pack(members, bases), self.tally.sent))

        self._remote.again(take)
        wrong = [one for one in members if not self._exchange.has(one.id)]
        if wrong:
            raise DamagedObject(
                f"{self._remote.name} has other bytes under the name {wrong[0].id}; they are not used",
                where=self._remote.url,
                hint=f"git pivot fsck --remote {self._remote.name}",
            )
        self.tally.add(len(part), sum(one.size for one in part))

    def large(self, pointer: Pointer) -> None:
        self._remote.again(lambda: self._bring(pointer))
        self.tally.add(large=1)

    def _bring(self, pointer: Pointer) -> None:
        with self._exchange.incoming(pointer) as incoming:
            for block in self._remote.fetch_large(pointer, incoming.offset):
                incoming.write(block)
                self.tally.sent(len(block))
                self.tally.add(size=len(block))
            incoming.finish()


def _walk(exchange: Exchange, remote: Remote, plan: Receiving) -> dict[str, WantedRoot]:
    """Every file below the roots; directories that are not here are read from the remote, a level at a time."""
    files: dict[str, WantedRoot] = {}
    seen: set[str] = set()
    level = list(plan.roots)
    for _ in range(MOST_DEPTH + 1):
        if not level:
            return files
        files |= {one.id: one for one in level if one.mode != TREE}
        folders = {one.id: one for one in level if one.mode == TREE and one.id not in seen}
        seen |= folders.keys()
        here = {oid: exchange.tree(oid) for oid in folders if exchange.has(oid)}
        asked = [oid for oid in folders if here.get(oid) is None]
        came = remote.read(asked)
        plan.trees |= came
        plan.absent.update(oid for oid in asked if oid not in came)
        below = {oid: read_level(data) for oid, data in came.items()}
        level = [
            WantedRoot(one.id, one.mode, f"{folders[oid].path}/{one.path}".lstrip("/"))
            for oid, entries in (here | below).items()
            for one in entries or ()
        ]
    raise DamagedObject(
        f"{remote.name} has a directory of more than {MOST_DEPTH} levels, which no output has", where=remote.url
    )
