"""What a result was made with, beside its fingerprint, and is no longer so: packages, environment, undeclared files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pivot.plan.decision import Change, Reason, ReasonKind
from pivot.plan.policies import Policies, differing
from pivot.state.records import Info


class CurrentEnvironment(Struct, frozen=True):
    """Versions of the distributions that a stage's pipeline imports now, and the environment of this command."""

    packages: Mapping[str, str]
    environment: Mapping[str, str]


class Drift(Struct, frozen=True):
    """`rerun` are reasons to run, `warnings` sentences to show."""

    rerun: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()


def find_drift(infos: Sequence[Info], now: CurrentEnvironment, policies: Policies) -> Drift:
    """Compare the runs that gave a result with the surroundings of now; a single run that agrees is enough.

    `infos` come newest first. What one of them was adopted with says nothing.
    """
    runs = [info for info in infos if not info.adopted]
    if not runs:
        return Drift()
    packages = _least([differing(info.packages, now.packages) for info in runs])
    seen = [info.environment for info in runs]
    environment = _least([differing(one, {name: now.environment.get(name) for name in one}) for one in seen])
    found = (
        (policies.packages, Reason(ReasonKind.PACKAGES, "Package version changed", _changes(packages))),
        (policies.env, Reason(ReasonKind.ENVIRONMENT, "Environment variable changed", _changes(environment, "$"))),
    )
    rerun = tuple(reason for policy, reason in found if policy == "rerun" and reason.changes)
    told = [_sentence(reason) for policy, reason in found if policy == "warn" and reason.changes]
    if policies.undeclared != "ignore" and runs[0].undeclared:
        told.append(undeclared_sentence(runs[0].undeclared))
    return Drift(rerun, tuple(told))


def undeclared_sentence(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    return f"it {shown} without declaring it, so that a change there runs nothing"


def _least(differences: list[list[tuple[str, str | None, str | None]]]) -> list[tuple[str, str | None, str | None]]:
    return min(differences, key=len)


def _changes(rows: list[tuple[str, str | None, str | None]], prefix: str = "") -> tuple[Change, ...]:
    return tuple(Change(prefix + name, old, new) for name, old, new in rows)


def _sentence(reason: Reason) -> str:
    rows = ", ".join(f"{one.name} {one.old or '(not set)'} -> {one.new or '(not set)'}" for one in reason.changes)
    return f"{reason.text.lower()} since its result was made: {rows}"
