"""What the store's bytes are for: which stages made them, and which of them are still in use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from msgspec import Struct

from pivot.errors import DamagedObject, MissingObject
from pivot.maintenance.gc import KEEP, open_repositories, roots_of
from pivot.project import Project
from pivot.run.recorder import as_objects
from pivot.state.record_closure import Name
from pivot.state.records import Record
from pivot.store.store import Store


class StageUsage(Struct, frozen=True):
    """The results of one stage: how many, and bytes of their files that are in the store, each counted once.

    `live` is the part that something needs. Two stages with the same file both count it.
    """

    stage: str
    results: int
    bytes: int
    live: int


class Usage(Struct, frozen=True):
    """`on_disk`: bytes that the store takes; `dead`: those that `gc` would free; `stages`: the largest first."""

    store: str
    on_disk: int
    dead: int
    stages: tuple[StageUsage, ...]


def measure(project: Project, keep: float = KEEP) -> Usage:
    """Look at every record and at everything that it names.

    Raises:
        StoreError, GitError: a repository that uses the store cannot be read.
    """
    with open_repositories(project) as using:
        own, others = roots_of(using, project, keep)
        objects = [held for roots in (own, *others) for held in roots.all_objects()]
        dead = project.store.prune(objects, dry_run=True).bytes
    stages: dict[str, list[tuple[Name, Record]]] = {}
    for fingerprint, result in project.runs.fingerprints():
        infos = project.runs.infos(fingerprint, result)
        records = [found.record for found in project.runs.lookup(fingerprint) if found.result == result]
        for stage in {info.stage for info in infos}:
            stages.setdefault(stage, []).extend(((fingerprint, result), record) for record in records)
    rows = [_usage(project.store, stage, held, own.live.keys()) for stage, held in stages.items()]
    rows.sort(key=lambda row: (-row.bytes, row.stage))
    return Usage(str(project.store_path), _on_disk(str(project.store_path)), dead, tuple(rows))


def _usage(store: Store, stage: str, records: list[tuple[Name, Record]], live: Iterable[Name]) -> StageUsage:
    alive = set(live)
    whole = _bytes(store, [record for _, record in records])
    return StageUsage(stage, len(records), whole, _bytes(store, [record for name, record in records if name in alive]))


def _bytes(store: Store, records: Iterable[Record]) -> int:
    known: dict[str, int] = {}
    for record in records:
        for held in as_objects(record.outs).values():
            with suppress(MissingObject, DamagedObject):  # `fsck` tells about these
                store.sizes(held, known)
    return sum(known.values())


def _on_disk(store: str) -> int:
    files = (f"{folder}/{name}" for folder, _, names in os.walk(store) for name in names)
    return sum(_size(path) for path in files)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0  # a temporary file of a running command
