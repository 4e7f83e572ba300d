"""A plan as data: what is done with each stage, and every reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from pivot.state.records import Record


class Action(StrEnum):
    KEEP = "keep"
    RESTORE = "restore"
    RUN = "run"
    WAIT = "wait"
    BLOCKED = "blocked"


class ReasonKind(StrEnum):
    """The kinds of reasons; the value is what `--explain` and JSON call them."""

    CODE = "code changed"
    DATA = "data changed"
    PARAMS = "parameters changed"
    SPEC = "outputs or inputs declared differently"
    FIRST = "never run"
    FAILED = "failed in its last run"
    FORCED = "forced"
    ALWAYS = "declared to run always"
    LOST = "outputs lost"
    NOT_DOWNLOADED = "not downloaded"
    MISSING_OUTPUT = "output missing"
    EDITED_OUTPUT = "output differs"
    UPSTREAM = "upstream will run"
    UPSTREAM_FAILED = "upstream failed"
    MISSING_INPUT = "input missing"
    FROZEN = "frozen"
    PACKAGES = "package version changed"
    ENVIRONMENT = "environment changed"
    BROKEN = "pipeline cannot be imported"


class Change(Struct, frozen=True):
    """One difference: `old` and `new` are whole digests, ids or values as text; None where there is none."""

    name: str
    old: str | None
    new: str | None
    where: str = ""
    note: str = ""


class Reason(Struct, frozen=True):
    why: ReasonKind
    text: str
    changes: tuple[Change, ...] = ()


class AlternativeResult(Struct, frozen=True):
    """One of several results of a situation; the rest tells of the newest run that gave it, empty where nobody did."""

    result: str
    finished: str = ""
    user: str = ""
    host: str = ""


class Decision(Struct, frozen=True):
    """What is done with one stage.

    `record` is the result that holds (KEEP, RESTORE) or whose bytes are lost (RUN), `unstored` those outputs in place
    whose bytes the store lacks, `away` those whose bytes only a remote has (KEEP: they stay there until a stage that
    runs needs them; RESTORE: they are pulled), `results` how many different results the run cache has for this
    fingerprint (more than one: not deterministic, and these are the `rivals`, the one that holds first).
    `warnings` are sentences about what the fingerprint does not cover,
    `accepted` says who let the result count for this situation, and why.
    """

    stage: str
    action: Action
    reasons: tuple[Reason, ...]
    fingerprint: str | None = None
    record: Record | None = None
    unstored: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    results: int = 0
    rivals: tuple[AlternativeResult, ...] = ()
    warnings: tuple[str, ...] = ()
    accepted: str = ""


def as_kept(stage: str, record: Record) -> Decision:
    """What is decided of a stage that has just given this result."""
    return Decision(stage, Action.KEEP, (), record.fingerprint, record)


class Plan(Struct, frozen=True):
    """Decisions in running order."""

    decisions: Mapping[str, Decision]

    def actions(self) -> dict[Action, list[str]]:
        found: dict[Action, list[str]] = {action: [] for action in Action}
        for decision in self.decisions.values():
            found[decision.action].append(decision.stage)
        return found

    def to_run(self) -> list[str]:
        """What must run, as far as is known before anything runs."""
        return [name for name, one in self.decisions.items() if one.action in (Action.RUN, Action.WAIT)]

    @property
    def nothing_to_do(self) -> bool:
        """Whether `repro` would do nothing at all."""
        held = self.decisions.values()
        return all(one.action is Action.KEEP and not one.unstored and not one.away for one in held)
