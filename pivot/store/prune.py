"""Removing from the store what nothing names any more: the only way in which bytes ever leave it.

A `put` holds the store's lock together with other puts and leaves a mark in `recent/` before it lets go; `prune` holds
the lock alone and counts every mark of the last day as a root, and those in `kept/` for 90 days. So what a running
command has stored, and not recorded yet, stays, and so do edits that were saved from being overwritten.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec import Struct, field

from pivot.errors import DamagedObject, MissingObject
from pivot.files import NO_ROOM
from pivot.git.odb.backend import TREE
from pivot.store.odb import crash_points
from pivot.store.odb.git_objects import SmallObjects, pointer_of
from pivot.store.odb.layout import KEPT, LARGE_MARK, LIST, RECENT, create, lock_store, sweep
from pivot.store.odb.loose import LooseObjects
from pivot.store.odb.narrow import forget as forget_narrow
from pivot.store.odb.objects import object_id
from pivot.store.odb.pack_reader import Pack
from pivot.store.odb.pack_writer import NewObjects, encode
from pivot.store.odb.store_format import Kind, recognise
from pivot.store.worktree.saved_edits import KEPT_DAYS

DAY = 86_400  # seconds
IDLE = 600  # seconds without a write after which a temporary file is of no living command
WORTH = 0.2  # share of dead objects from which a pack is written anew

_MARK = re.compile(rf"([0-7]+|{LARGE_MARK})-([0-9a-f]{{40,64}})")  # as `mark_name` and `large_mark_name` write them


class Pruned(Struct):
    """What was removed, or would be: numbers of Git objects and of large files, and bytes on the disk."""

    objects: int = 0
    large: int = 0
    bytes: int = 0


class LiveObjects(Struct):
    """What must stay: Git objects by id, large files by BLAKE3."""

    objects: set[str] = field(default_factory=set)
    large: set[str] = field(default_factory=set)


def prune(store: str, roots: Iterable[tuple[str, int]], *, dry_run: bool = False, recent: float = DAY) -> Pruned:
    """Remove what neither `roots` (id, mode) nor a mark of the last `recent` seconds reaches.

    Roots that the store lacks do no harm.

    Raises:
        StoreError: the folder does not carry the mark of a store.
    """
    done = Pruned()
    if not os.path.isdir(store) or (dry_run and recognise(store) is Kind.EMPTY):
        return done
    if not dry_run:
        create(store)
    small = SmallObjects(store)
    with lock_store(store, alone=True):
        marked = _marked(store, recent, dry_run=dry_run)
        live = _reach(small, [*roots, *marked.objects])
        live.large |= marked.large
        crash_points.point("prune:marked")
        for path in _dead_files(f"{store}/objects", live.objects, 38):
            _remove(path, done, dry_run=dry_run)
            done.objects += 1
            crash_points.point("prune:loose")
        for path in _dead_files(f"{store}/large", live.large, 62):
            _remove(path, done, dry_run=dry_run)
            done.large += 1
            crash_points.point("prune:large")
        # Packs without any live object first: they leave room to write others anew.
        for pack in sorted(small.packs(), key=lambda pack: any(oid in live.objects for oid in pack.ids())):
            _prune_pack(store, pack, live.objects, done, dry_run=dry_run)
        if not dry_run:
            forget_narrow(store, SmallObjects(store).has)
            sweep(store, IDLE)  # those who store wait for the lock meanwhile, so only restores may be under way
    return done


def _reach(small: SmallObjects, roots: Iterable[tuple[str, int]]) -> LiveObjects:
    live = LiveObjects()
    waiting = list(roots)
    while waiting:
        oid, mode = waiting.pop()
        if oid in live.objects:
            continue
        live.objects.add(oid)
        with suppress(MissingObject, DamagedObject):
            if mode == TREE:
                waiting += [(entry.oid, entry.mode) for entry in small.tree(oid)]
                continue
            header = small.header(oid)
            pointer = pointer_of(small, oid, header[1]) if header else None
            if pointer is not None:
                live.large.add(pointer.blake3)
    return live


def _marked(store: str, recent: float, *, dry_run: bool) -> Marked:
    found = Marked()
    marks = [*_read_marks(f"{store}/{RECENT}", recent), *_read_marks(f"{store}/{KEPT}", KEPT_DAYS * DAY)]
    for path, counts in marks:
        if counts:
            found.add(_names_in(path))
        elif not dry_run:
            os.unlink(path)
    return found


class Marked(Struct):
    """What marks name: objects by id and mode, large files by BLAKE3."""

    objects: list[tuple[str, int]] = field(default_factory=list)
    large: set[str] = field(default_factory=set)

    def add(self, names: Iterable[str]) -> None:
        """Other names are none of ours: file managers and NFS leave files anywhere."""
        for kind, oid in (found.groups() for found in map(_MARK.fullmatch, names) if found):
            if kind == LARGE_MARK:
                self.large.add(oid)
            else:
                self.objects.append((oid, int(kind, 8)))


def _names_in(path: str) -> list[str]:
    """A mark is an empty file of its name; a pusher's list holds a mark a line."""
    name = os.path.basename(path)
    if not name.startswith(LIST):
        return [name]
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read().split()


def _read_marks(folder: str, seconds: float) -> list[tuple[str, bool]]:
    """Marks by path, and whether they are young enough to count."""
    if not os.path.isdir(folder):
        return []
    oldest = time.time() - seconds
    with os.scandir(folder) as entries:
        return [(entry.path, entry.stat().st_mtime > oldest) for entry in entries]


def _dead_files(folder: str, live: set[str], length: int) -> Iterator[str]:
    """Files `ab/<length hex>` below a folder whose name is not live."""
    for first in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if len(first) != 2:
            continue
        for rest in os.listdir(f"{folder}/{first}"):
            if len(rest) == length and first + rest not in live:
                yield f"{folder}/{first}/{rest}"


def _prune_pack(store: str, pack: Pack, live: set[str], done: Pruned, *, dry_run: bool) -> None:
    ids = pack.ids()
    kept = [oid for oid in ids if oid in live]
    if len(ids) - len(kept) <= len(ids) * WORTH and kept:
        return
    before = os.stat(pack.path).st_size
    if not dry_run and not _write_anew(store, pack, kept):
        return
    done.objects += len(ids) - len(kept)
    done.bytes += before * (len(ids) - len(kept)) // len(ids)
    if dry_run:
        return
    crash_points.point("prune:repacked")
    os.unlink(pack.path.removesuffix(".pack") + ".idx")  # first, so that nobody looks for what is gone
    crash_points.point("prune:index")
    os.unlink(pack.path)


def _write_anew(store: str, pack: Pack, kept: list[str]) -> bool:
    """Whether another pack has these objects now; without room for it, the pack stays for the next time."""
    batch = NewObjects(store, LooseObjects(store), frozenset(), many=1)
    try:
        for oid in kept:
            kind, data = pack.read(pack.find(bytes.fromhex(oid)) or 0)
            if object_id(kind, data) == oid:
                batch.add(encode(kind, data, oid))
        batch.finish()
    except DamagedObject:
        batch.abandon()
        return False  # whoever needs one of its objects hears of it; here nothing gets lost
    except BaseException as error:
        batch.abandon()
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return False
        raise
    return True


def _remove(path: str, done: Pruned, *, dry_run: bool) -> None:
    done.bytes += os.lstat(path).st_size
    if not dry_run:
        os.unlink(path)
