"""How the stages of two commits differ, or those of a commit and of the work tree: with every reason, as data."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pivot.history.snapshot import CommittedState, Snapshot
from pivot.plan.decision import Change, Reason, ReasonKind
from pivot.plan.explain import differences, differences_between
from pivot.plan.inputs import Inputs
from pivot.plan.planner import Planner
from pivot.state.notes import NoteLine
from pivot.state.records import Output, Record
from pivot.store.odb.objects import Object


class Difference(Struct, frozen=True):
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


def _compare(
    name: str, old: tuple[CommittedState, ...] | None, new: tuple[CommittedState, ...] | None
) -> Difference | None:
    if not old or not new:
        return Difference(name, "gone" if old else "new", (), {})
    if {_held(standing.line) for standing in old} & {_held(standing.line) for standing in new}:
        return None
    before, after = old[0], new[0]
    one, other = before.past(), after.past()
    if one is None or other is None:
        return Difference(name, "changed", tuple(_unknown(side) for side in (before, after) if not side.record), {})
    outs = _changed_outs(one.record.outs, other.record.outs)
    return Difference(name, "changed", (*differences_between(one, other), *_outs_reason(outs)), outs)


def _held(line: NoteLine) -> tuple[str | None, ...]:
    """What a line says, whichever commit it is about."""
    return (line.state, line.fingerprint, line.result)


def _unknown(standing: CommittedState) -> Reason:
    line = standing.line
    if line.state == "stale":
        return Reason(ReasonKind.FIRST, "No result is known for one side's inputs")
    if line.state == "unknown":
        return Reason(ReasonKind.MISSING_INPUT, "One side's inputs were not what its commit holds")
    return Reason(
        ReasonKind.LOST, f"The record {(line.fingerprint or '')[:12]} is not here; `git pivot fetch` brings it"
    )


Pairs = dict[str, tuple[Output | None, Output | None]]


def _changed_outs(old: Mapping[str, Output], new: Mapping[str, Output]) -> Pairs:
    pairs = {path: (old.get(path), new.get(path)) for path in sorted({*old, *new})}
    return {path: (one, other) for path, (one, other) in pairs.items() if _identity(one) != _identity(other)}


def _outs_in_place(record: Record, inputs: Inputs) -> Pairs:
    stands = {path: inputs.output_at(path) for path in record.outs}
    return _changed_outs(record.outs, {path: as_output(held) for path, held in stands.items() if held})


def as_output(held: Object) -> Output:
    return Output(held.id, held.mode, held.size)


def _identity(out: Output | None) -> tuple[str, int] | None:
    return (out.id, out.mode) if out else None


def _outs_reason(outs: Pairs) -> tuple[Reason, ...]:
    changes = tuple(Change(path, old.id if old else None, new.id if new else None) for path, (old, new) in outs.items())
    return (Reason(ReasonKind.EDITED_OUTPUT, "Output differs", changes),) if changes else ()
