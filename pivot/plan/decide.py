"""The decision, once: keep, restore, run, wait or blocked. Pure; everybody who asks reads this one answer."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from pivot.plan.decision import Action, AlternativeResult, Change, Decision, Reason, ReasonKind
from pivot.state.records import Record

_NOTHING_KNOWN = Reason(ReasonKind.LOST, "No result is known for this situation")


class Candidate(Struct, frozen=True):
    """A result that the run cache knows for the stage's fingerprint, and where its bytes are.

    `absent` and `different` are output paths that are not in place, or hold something else; `unstored` those whose
    bytes the store lacks; `away` those whose bytes only a remote may have; `lost` those whose bytes are nowhere.
    """

    record: Record
    absent: tuple[str, ...]
    different: tuple[str, ...]
    unstored: tuple[str, ...]
    lost: tuple[str, ...]
    away: tuple[str, ...] = ()

    @property
    def in_place(self) -> bool:
        return not self.absent and not self.different


class StageFacts(Struct, frozen=True):
    """All that the decision for one stage depends on.

    `fingerprint` is None while an input is not known. `candidates` come in the order in which they are preferred.
    `changes` is the difference to the stage's last record, empty where there is none (`first`); `failed` says that it
    failed when it was run last. `asked` says that its outputs are wanted here even if they have to be pulled;
    `no_remote` that they were made elsewhere and no remote is named that may have them.
    `drifted` are reasons beside the fingerprint that the user wants to count; `warnings`, `accepted` and `rivals` only
    go along.
    """

    stage: str
    fingerprint: str | None
    candidates: tuple[Candidate, ...]
    changes: tuple[Reason, ...]
    first: bool
    failed: bool = False
    forced: bool = False
    always: bool = False
    frozen: bool = False
    asked: bool = False
    no_remote: bool = False
    missing_inputs: tuple[Change, ...] = ()
    drifted: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()
    accepted: str = ""
    rivals: tuple[AlternativeResult, ...] = ()
    failed_upstreams: tuple[str, ...] = ()
    running_upstreams: tuple[str, ...] = ()


def decide(view: StageFacts) -> Decision:
    """Say what is done with a stage and why."""
    if view.frozen:
        return _frozen(view)
    if view.failed_upstreams:
        return _blocked(
            view, Reason(ReasonKind.UPSTREAM_FAILED, f"Upstream failed or blocked: {', '.join(view.failed_upstreams)}")
        )
    if view.missing_inputs:
        found = [f"{one.name} ({one.where}){f': {one.note}' if one.note else ''}" for one in view.missing_inputs]
        text = f"Input missing: {'; '.join(found)}"
        return _blocked(view, Reason(ReasonKind.MISSING_INPUT, text, view.missing_inputs))
    if view.fingerprint is None:
        upstream = Reason(ReasonKind.UPSTREAM, f"Upstream will run: {', '.join(view.running_upstreams)}")
        return Decision(view.stage, Action.WAIT, (*view.changes, upstream))
    if view.forced:
        return _run(view, Reason(ReasonKind.FORCED, "Forced"))
    if view.always:
        return _run(view, Reason(ReasonKind.ALWAYS, "Declared to run always"))
    if not view.candidates:
        first = (Reason(ReasonKind.FIRST, "Never run here"),) if view.first and not view.failed else ()
        failed = (Reason(ReasonKind.FAILED, "Failed in its last run"),) if view.failed else ()
        return replace(_run(view), reasons=(*first, *view.changes, *failed) or (_NOTHING_KNOWN,))
    return _reuse(view, view.candidates[0])


def _reuse(view: StageFacts, held: Candidate) -> Decision:
    if view.drifted:
        return _run(view, *view.drifted)
    if held.in_place:
        return replace(_held(view, held, Action.KEEP, ()), unstored=held.unstored)
    if held.lost:
        lost = tuple(_at(held.record, path, None) for path in held.lost)
        reason = Reason(ReasonKind.LOST, "Outputs lost: neither in the store nor in place", lost)
        if view.no_remote:
            reason = Reason(ReasonKind.NOT_DOWNLOADED, "Not downloaded: no remote is configured", lost)
        return replace(_run(view, reason), record=held.record)
    return _bring(view, held)


def _bring(view: StageFacts, held: Candidate, *reasons: Reason) -> Decision:
    """Outputs that are not in place come into place; those that must be pulled only if somebody wants them here."""
    if held.away and not held.different and not view.asked:
        return replace(_held(view, held, Action.KEEP, reasons), away=held.away)
    return replace(_held(view, held, Action.RESTORE, (*reasons, *_out_of_place(held))), away=held.away)


def _held(view: StageFacts, held: Candidate, action: Action, reasons: tuple[Reason, ...]) -> Decision:
    return Decision(
        view.stage,
        action,
        reasons,
        fingerprint=view.fingerprint,
        record=held.record,
        results=len(view.candidates),
        rivals=view.rivals,
        warnings=view.warnings,
        accepted=view.accepted,
    )


def _out_of_place(held: Candidate) -> tuple[Reason, ...]:
    reasons = []
    if held.absent:
        absent = tuple(_at(held.record, path, None) for path in held.absent)
        reasons.append(Reason(ReasonKind.MISSING_OUTPUT, f"Output missing: {', '.join(held.absent)}", absent))
    if held.different:
        different = tuple(_at(held.record, path, "differs") for path in held.different)
        reasons.append(Reason(ReasonKind.EDITED_OUTPUT, f"Output differs: {', '.join(held.different)}", different))
    return tuple(reasons)


def _at(record: Record, path: str, new: str | None) -> Change:
    held = record.outs.get(path)
    return Change(path, held.id if held else None, new)


def _run(view: StageFacts, *reasons: Reason) -> Decision:
    listed = (*reasons, *view.changes)
    return Decision(view.stage, Action.RUN, listed, fingerprint=view.fingerprint, results=len(view.candidates))


def _blocked(view: StageFacts, *reasons: Reason) -> Decision:
    return Decision(view.stage, Action.BLOCKED, reasons, fingerprint=view.fingerprint)


def _frozen(view: StageFacts) -> Decision:
    reason = Reason(ReasonKind.FROZEN, "Frozen: never run")
    held = view.candidates[0] if view.candidates else None
    if held is None or held.in_place or held.lost:
        record = held.record if held else None
        return Decision(view.stage, Action.KEEP, (reason,), fingerprint=view.fingerprint, record=record)
    return _bring(view, held, reason)
