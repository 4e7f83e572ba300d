"""Packs, made from the store here and taken into it, by the `git` program; and how much goes into one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

from pivot.errors import StoreError
from pivot.git.plumbing.command import placeless_environment
from pivot.store.exchange import Exchange, Member, WantedRoot
from pivot.sync.remote.channel import BLOCK, ProcessChannel, feed, no_way_to_fail

PART = 32 << 20  # bytes of objects in one pack: what a cut costs at most
MOST = 10_000  # objects in one pack


def cut(members: Iterable[Member]) -> Iterator[list[Member]]:
    """Parts in the order given, none with more than `PART` bytes unless a single object is bigger."""
    part: list[Member] = []
    held = 0
    for member in members:
        if part and (held + member.size > PART or len(part) >= MOST):
            yield part
            part, held = [], 0
        part.append(member)
        held += member.size
    if part:
        yield part


def make_pack(store: str, members: Sequence[WantedRoot | Member], bases: Sequence[str]) -> Iterator[bytes]:
    """A pack of these objects. Without `bases` nothing is delta-compressed: it would cost more than it saves."""
    options = [] if bases else ["--window=0"]
    with closing(_git(store, "pack-objects", "-q", "--stdout", "--delta-base-offset", *options)) as channel:
        feed(channel, [pack_list(members, bases)])
        while block := channel.read(BLOCK):
            yield block
        ended = channel.finish()
    if ended.code:
        raise StoreError(f"the store cannot give its objects: {ended.complaint}", where=store, hint="git pivot fsck")


def pack_list(members: Sequence[WantedRoot | Member], bases: Sequence[str]) -> bytes:
    """What `git pack-objects` reads: old directories first; by their paths it finds what an object was before."""
    lines = [f"-{base}\n" for base in bases]
    lines += ["{} {}\n".format(one.id, one.path.replace("\n", " ")) for one in members]
    return "".join(lines).encode("utf-8", "surrogateescape")


def receive_pack(exchange: Exchange, pack: Iterator[bytes]) -> None:
    """Take a pack into the store here. Git works out every object's id from its bytes, so a lie becomes another id."""
    with closing(_git(exchange.path, "index-pack", "--stdin", "--fix-thin", "--strict")) as channel:
        feed(channel, pack)
        told = b"".join(iter(lambda: channel.read(BLOCK), b""))
        ended = channel.finish()
    if ended.code:
        raise StoreError(f"a pack cannot be stored: {ended.complaint}", where=exchange.path)
    exchange.protect_pack(told.decode().split()[-1])


def counted(blocks: Iterator[bytes], count: Callable[[int], object]) -> Iterator[bytes]:
    """The same blocks; `count` hears how many bytes pass."""
    for block in blocks:
        count(len(block))
        yield block


def _git(store: str, *arguments: str) -> ProcessChannel:
    environment = {**placeless_environment(), "LC_ALL": "C"}
    return ProcessChannel(["git", "--git-dir", os.path.abspath(store), *arguments], environment, no_way_to_fail)
