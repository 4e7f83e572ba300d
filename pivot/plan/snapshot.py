"""What commits stand on, read from notes and records alone: no code is imported, and nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pivot.errors import GitError, MissingObject, TargetError
from pivot.git.backend import Backend
from pivot.git.notes import NoteLine, Notes
from pivot.git.records import Info, Output, Record
from pivot.git.runs import RunCache
from pivot.plan.decision import Change, Reason, Why
from pivot.plan.explain import Past, differences, differences_between
from pivot.plan.inputs import Inputs
from pivot.plan.planner import Planner
from pivot.store.objects import Object


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of a note with its record (None: it is not here) and what is said about its runs, the newest first."""

    line: NoteLine
    record: Record | None
    infos: tuple[Info, ...]

    def past(self) -> Past | None:
        own = [info for info in self.infos if info.stage == self.line.stage] or list(self.infos)
        return Past(self.record, own[0] if own else None) if self.record else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stages of a commit; `noted` is the commit whose note it is: this one, or one with the same files."""

    commit: str
    noted: str
    stages: Mapping[str, tuple[Standing, ...]]


class Snapshots:
    """Reads snapshots of one repository."""

    def __init__(self, backend: Backend, runs: RunCache) -> None:
        self._backend = backend
        self._runs = runs
        self._notes = Notes(backend)

    def resolve(self, revision: str) -> str:
        """The commit that a revision names. Raises `TargetError`."""
        commit = self._backend.resolve(revision)
        if commit is None:
            raise TargetError(f"{revision} names no commit", hint="git log --oneline")
        return commit

    def merge_base(self, one: str, two: str) -> str:
        """Where two commits part. Raises `TargetError` for unrelated ones."""
        base = self._backend.merge_base(one, two)
        if base is None:
            raise TargetError(f"{one[:12]} and {two[:12]} have no common ancestor here", hint="git fetch --unshallow")
        return base

    def read(self, revision: str) -> Snapshot:
        """The snapshot of a revision.

        Raises:
            TargetError: it names no commit, or nobody has noted what its stages stand on.
        """
        commit = self.resolve(revision)
        for noted in self._noted(commit):
            if lines := self._notes.read(noted):
                stages = {stage: tuple(map(self._standing, held)) for stage, held in lines.items()}
                return Snapshot(commit, noted, stages)
        raise TargetError(
            f"what the stages of {revision} stand on is not noted",
            hint="`git pivot fetch` brings notes; `git pivot repro` on that commit writes one.",
        )

    def lines(self, commit: str) -> dict[str, tuple[NoteLine, ...]]:
        return self._notes.read(commit)

    def _noted(self, commit: str) -> Iterator[str]:
        """The commit, then others of the same tree: a squash merge or an amended message has no note of its own."""
        yield commit
        tree = self._backend.read_commit(commit).tree
        for other in self._notes.commits():
            if other != commit and self._has_tree(other, tree):
                yield other

    def _has_tree(self, commit: str, tree: str) -> bool:
        try:
            return self._backend.read_commit(commit).tree == tree
        except (MissingObject, GitError):
            return False  # a note outlives its commit

    def _standing(self, line: NoteLine) -> Standing:
        if line.fingerprint is None or line.result is None:
            return Standing(line, None, ())
        held = [found.record for found in self._runs.lookup(line.fingerprint) if found.result == line.result]
        infos = self._runs.infos(line.fingerprint, line.result) if held else []
        return Standing(line, held[0] if held else None, tuple(infos))


@dataclass(frozen=True, slots=True)
class Difference:
    """How a stage differs between two sides; `outs` are pairs of what was and what is, by path."""

    stage: str
    status: str
    reasons: tuple[Reason, ...]
    outs: Mapping[str, tuple[Output | None, Output | None]]


def compare(old: Snapshot, new: Snapshot) -> list[Difference]:
    """The stages that differ between two commits, by name."""
    found = [_compare(name, old.stages.get(name), new.stages.get(name)) for name in sorted({*old.stages, *new.stages})]
    return [difference for difference in found if difference]


def compare_with_files(old: Snapshot, planner: Planner, inputs: Inputs) -> list[Difference]:
    """The stages that differ between a commit and the work tree, in running order; the gone ones last."""
    plan = planner.plan(planner.graph.order)
    found = []
    for name, decision in plan.decisions.items():
        standings = old.stages.get(name)
        if not standings:
            found.append(Difference(name, "new", (), {}))
            continue
        past = standings[0].past()
        known = decision.fingerprint is not None
        situation = planner.situation(name) if known else None
        if past is None or (known and decision.fingerprint == past.record.fingerprint):
            reasons: tuple[Reason, ...] = () if past else (_unknown(standings[0]),)
        else:
            stage = situation.stage if situation else planner.stages[name]
            waits = () if known else decision.reasons[-1:]
            reasons = (*differences(past, stage, situation.deps if situation else {}, {}), *waits)
        outs = _outs_in_place(past.record, inputs) if past else {}
        if reasons or outs:
            found.append(Difference(name, "changed", (*reasons, *_outs_reason(outs)), outs))
    gone = [name for name in old.stages if name not in plan.decisions]
    return [*found, *(Difference(name, "gone", (), {}) for name in gone)]


def _compare(name: str, old: tuple[Standing, ...] | None, new: tuple[Standing, ...] | None) -> Difference | None:
    if not old or not new:
        return Difference(name, "gone" if old else "new", (), {})
    if {standing.line for standing in old} == {standing.line for standing in new}:
        return None
    before, after = old[0], new[0]
    if (before.line.state, before.line.fingerprint, before.line.result) == (
        after.line.state,
        after.line.fingerprint,
        after.line.result,
    ):
        return None
    one, other = before.past(), after.past()
    if one is None or other is None:
        return Difference(name, "changed", tuple(_unknown(side) for side in (before, after) if not side.record), {})
    outs = _changed_outs(one.record.outs, other.record.outs)
    return Difference(name, "changed", (*differences_between(one, other), *_outs_reason(outs)), outs)


def _unknown(standing: Standing) -> Reason:
    line = standing.line
    if line.state == "stale":
        return Reason(Why.FIRST, "No result is known for one side's inputs")
    if line.state == "unknown":
        return Reason(Why.MISSING_INPUT, "One side's inputs were not what its commit holds")
    return Reason(Why.LOST, f"The record {(line.fingerprint or '')[:12]} is not here; `git pivot fetch` brings it")


Pairs = dict[str, tuple[Output | None, Output | None]]


def _changed_outs(old: Mapping[str, Output], new: Mapping[str, Output]) -> Pairs:
    pairs = {path: (old.get(path), new.get(path)) for path in sorted({*old, *new})}
    return {path: (one, other) for path, (one, other) in pairs.items() if _identity(one) != _identity(other)}


def _outs_in_place(record: Record, inputs: Inputs) -> Pairs:
    stands = {path: inputs.at(path) for path in record.outs}
    return _changed_outs(record.outs, {path: as_output(held) for path, held in stands.items() if held})


def as_output(held: Object) -> Output:
    return Output(held.id, held.mode, held.size)


def _identity(out: Output | None) -> tuple[str, int] | None:
    return (out.id, out.mode) if out else None


def _outs_reason(outs: Pairs) -> tuple[Reason, ...]:
    changes = tuple(Change(path, old.id if old else None, new.id if new else None) for path, (old, new) in outs.items())
    return (Reason(Why.EDITED_OUTPUT, "Output differs", changes),) if changes else ()
