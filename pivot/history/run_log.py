"""The history of runs, read from the commits of `refs/pivot/runs`, the newest first and only as far as asked for."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any

from msgspec import Struct

from pivot.errors import GitError, MissingObject, RecordError, UnknownVersion, UnreadableObject
from pivot.git.odb.backend import TREE, Backend, Commit, TreeEntry
from pivot.git.odb.trees import Trees
from pivot.plan.decision import Reason
from pivot.plan.explain import Past, differences_between
from pivot.state.records import MOST_INFO, MOST_RECORD, Info, Record, check_record, parse_info, parse_record
from pivot.state.run_cache import REF, TOP, TRACKING
from pivot.state.shared_ref import SharedRef

# How many runs further back the one before is looked for.
FARTHEST = 1000
KEPT = 1000  # objects in memory, however long the history


class LoggedRun(Struct, frozen=True):
    """One run: what it gave, and what is said about it; `id` names both, since of two runs the same may be said."""

    record: Record
    info: Info
    id: str


class RunLogEntry(Struct, frozen=True):
    """A run and the one of the same stage before it (None: it is the first, or lies too far back)."""

    run: LoggedRun
    before: LoggedRun | None

    def reasons(self) -> tuple[Reason, ...]:
        """What changed since the run before."""
        if self.before is None:
            return ()
        return differences_between(Past(self.before.record, self.before.info), Past(self.run.record, self.run.info))


def read_entries(runs: Iterable[LoggedRun], since: str = "", limit: int | None = None) -> list[RunLogEntry]:
    """The newest runs with those before them; `since` is UTC in ISO 8601."""
    taken: list[LoggedRun] = []
    before: dict[str, LoggedRun] = {}  # id of a run -> the run of its stage before it
    waiting: dict[str, LoggedRun] = {}
    further = 0
    for run in runs:
        stage = run.info.stage
        if stage in waiting:
            before[waiting.pop(stage).id] = run
        if run.info.finished >= since and (limit is None or len(taken) < limit):
            taken.append(run)
            waiting[stage] = run
            continue
        further += 1
        if not waiting or further > FARTHEST:
            break
    return [RunLogEntry(run, before.get(run.id)) for run in taken]


class RunHistory:
    """The runs that are here: of the local ref, and of what was fetched."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._history = SharedRef(backend, REF, (TRACKING, TOP), Trees(backend))
        self.refused: list[str] = []  # a sentence for each run that is left out since it cannot be read
        self._seen: set[str] = set()
        self._trees: dict[str, dict[str, TreeEntry]] = {}
        self._known: dict[str, Commit] = {}

    def runs(self, stage: str = "") -> Iterator[LoggedRun]:
        """Every run (of one stage), the newest first.

        No run is newer than the commit that brought it, and no commit newer than the one on top of it: a run can be
        given out as soon as it is newer than all commits that are still to be read. Of two runs of one second the later
        commit's is the newer, and in one commit that which reads what the other made.
        """
        self._seen.clear()
        found: list[tuple[str, int, int, LoggedRun]] = []
        for read, (time, commit, parents) in enumerate(self._commits()):
            while found and found[-1][0] > time:
                yield found.pop()[3]
            for place, run in enumerate(_in_order(self._brought(commit, parents))):
                if not stage or run.info.stage == stage:
                    bisect.insort(found, (run.info.finished, -read, place, run), key=lambda one: one[:3])
        while found:
            yield found.pop()[3]

    def _commits(self) -> Iterator[tuple[str, str, list[str]]]:
        """Time, tree and the parents' trees of each commit, the newest first."""
        queue: list[tuple[int, str]] = []
        seen: set[str] = set()

        def push(commit: str) -> None:
            if commit not in seen and (held := self._time(commit)) is not None:
                seen.add(commit)
                heapq.heappush(queue, (-held, commit))

        self._history.trees()  # an error where the local ref leads to what is no run cache
        for tip in filter(None, (self._history.tip(), *self._history.tracked().values())):
            push(tip)
        while queue:
            negative, commit = heapq.heappop(queue)
            held = self._commit(commit)
            for parent in held.parents:
                push(parent)
            trees = [self._commit(parent).tree for parent in held.parents if parent in seen]
            yield datetime.fromtimestamp(-negative, UTC).isoformat(timespec="seconds"), held.tree, trees

    def _time(self, commit: str) -> int | None:
        """When a commit was made; None where it is not here, as below the end of a shallow clone."""
        try:
            return int(self._commit(commit).author.split()[-2])
        except (MissingObject, GitError, ValueError, IndexError):
            return None

    def _brought(self, tree: str, parents: list[str]) -> Iterator[LoggedRun]:
        """The runs in a tree that none of its parents has."""
        old = [self._entries(parent).get("runs") for parent in parents]
        shards = self._new(self._entries(tree).get("runs"), old)
        for shard in shards:
            below = [self._entries(one.oid).get(shard.name) for one in old if one]
            for folder in self._new(shard, below):
                there = [self._entries(one.oid).get(folder.name) for one in below if one]
                yield from self._runs_of(shard.name, folder, there)

    def _runs_of(self, start: str, folder: TreeEntry, old: list[TreeEntry | None]) -> Iterator[LoggedRun]:
        held = self._entries(folder.oid)
        infos = [self._entries(one.oid).get("info") for one in old if one]
        ids = {f"{start}{folder.name} {info.oid}": info.oid for info in self._new(held.get("info"), infos)}
        new = {run: oid for run, oid in ids.items() if run not in self._seen}
        record = self._record(start, folder.name, held.get("record")) if new else None
        for run, oid in new.items() if record else ():
            self._seen.add(run)
            if record and (told := self._info(oid)):
                yield LoggedRun(record, told, run)

    def _new(self, folder: TreeEntry | None, old: list[TreeEntry | None]) -> list[TreeEntry]:
        """The entries of a folder that no old one has as they are."""
        if folder is None or folder.mode != TREE or any(one and one.oid == folder.oid for one in old):
            return []
        known = {(name, entry.oid) for one in old if one for name, entry in self._entries(one.oid).items()}
        return [entry for name, entry in self._entries(folder.oid).items() if (name, entry.oid) not in known]

    def _commit(self, oid: str) -> Commit:
        if oid not in self._known:
            _make_room(self._known)
            self._known[oid] = self._backend.read_commit(oid)
        return self._known[oid]

    def _entries(self, tree: str) -> dict[str, TreeEntry]:
        if tree not in self._trees:
            _make_room(self._trees)
            self._trees[tree] = self._read_tree(tree)
        return self._trees[tree]

    def _read_tree(self, tree: str) -> dict[str, TreeEntry]:
        try:
            return {entry.name: entry for entry in self._backend.read_tree(tree)}
        except (MissingObject, GitError):
            return {}  # a filtered fetch left it out, or a stranger put a file where a folder belongs

    def _record(self, start: str, name: str, blob: TreeEntry | None) -> Record | None:
        """The record, if its content gives the name that it stands under."""
        rest, _, result = name.partition(".")
        try:
            record = parse_record(self._backend.read_blob(blob.oid, MOST_RECORD)) if blob else None
            if record:
                check_record(record, start + rest, result)
        except UnknownVersion:
            raise
        except (RecordError, MissingObject, UnreadableObject):
            return None
        return record

    def _info(self, oid: str) -> Info | None:
        try:
            return parse_info(self._backend.read_blob(oid, MOST_INFO))
        except MissingObject:
            return None
        except (RecordError, UnreadableObject) as error:
            self.refused.append(f"a run is left out: {error.what}; run `git pivot fsck`")
            return None


def _in_order(brought: Iterable[LoggedRun]) -> list[LoggedRun]:
    """Each run after those whose outputs it reads; where nothing tells, by id."""
    runs = sorted(brought, key=lambda run: run.id)
    made = {(path, out.id): place for place, run in enumerate(runs) for path, out in run.record.outs.items()}
    reads = {
        place: {made[item] for item in run.record.deps.items() if item in made} - {place}
        for place, run in enumerate(runs)
    }
    try:
        return [runs[place] for place in TopologicalSorter(reads).static_order()]
    except CycleError:
        return runs  # runs of several situations


def _make_room(held: dict[str, Any]) -> None:
    """What a commit and its parent share is asked for again at once, and never later."""
    if len(held) >= KEPT:
        held.clear()
