"""Parameters as they are now, and as they were in the last record or at a commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from pivot.canonical import canonical_json
from pivot.errors import TargetError
from pivot.git.odb.backend import Backend
from pivot.plan.known_results import Memory
from pivot.state.notes import Notes

ABSENT = object()


class Differing(Struct, frozen=True):
    """A parameter with its value before and now; `ABSENT` where there is none."""

    stage: str
    name: str
    old: Any
    new: Any


def flatten(params: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Each value by its dotted name, nested parameters opened up."""
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def differing(stage: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Differing]:
    """The parameters of a stage that are not what they were, sorted by name."""
    old, new = dict(flatten(before)), dict(flatten(now))
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new or not _is_equal(old[name], new[name]):
            yield Differing(stage, name, old.get(name, ABSENT), new.get(name, ABSENT))


def _is_equal(one: Any, other: Any) -> bool:
    """As a fingerprint sees it: NaN equals itself, and 1 is not 1.0."""
    return canonical_json([one]) == canonical_json([other])


def last_params(memory: Memory, stage: str) -> dict[str, Any] | None:
    """Those of the last record of a stage in this work tree or on its branch."""
    past = memory.previous(stage)
    return past.record.params if past else None


def params_at(backend: Backend, memory: Memory, revision: str) -> dict[str, dict[str, Any]]:
    """By stage, those that a commit's note leads to.

    Raises:
        TargetError: the revision names no commit, or its note does not lead to a record here.
    """
    commit = backend.resolve(revision)
    if commit is None:
        raise TargetError(f"{revision} names no commit", hint="git log --oneline")
    found = {}
    for stage, lines in Notes(backend).read(commit).items():
        records = [record for line in lines if line.fingerprint for record in memory.results(line.fingerprint)]
        if records:
            found[stage] = records[0].params
    if not found:
        raise TargetError(
            f"no result of {revision} is noted here",
            hint="`git pivot fetch` brings notes and results; `git pivot repro` on that commit makes them.",
        )
    return found
