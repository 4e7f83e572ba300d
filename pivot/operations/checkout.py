"""Outputs of a commit, or of the present situation, brought into the work tree; nothing is run and nothing lost."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct, field

from pivot.errors import TargetError
from pivot.history.snapshot import CommittedState, Snapshots
from pivot.plan.decision import Action
from pivot.plan.targets import near_name
from pivot.project import Project
from pivot.run.outputs import Outputs, keeper_of, saved_notice
from pivot.run.recorder import as_objects
from pivot.run.session import Session
from pivot.state.records import Record
from pivot.store.odb.objects import Object
from pivot.store.worktree_writer import Target

LEFT_HINT = "Run `git pivot checkout` on the commit whose code declares them."


class Expected(Struct, frozen=True):
    """What belongs at repository-relative paths, and the stages whose result is not known.

    `refused` are sentences about records that the commit's note names and that are not believed. `by_code`: the code
    declares the paths, as it was imported now; otherwise only notes and records name them.
    """

    outs: Mapping[str, Object]
    unknown: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    by_code: bool = False


class CheckedOut(Struct):
    """What was done, by path; `missing`: the store lacks the bytes; `notices`: sentences to be told.

    `left` are sentences about paths that nobody here knows as outputs, with a hint for all of them.
    """

    restored: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def present_outputs(session: Session) -> Expected:
    """The outputs of every stage whose result for its present situation is known; Git ignores them from here on."""
    planner = session.planner()
    plan = planner.plan(planner.graph.order)
    known = [one for one in plan.decisions.values() if one.action in (Action.KEEP, Action.RESTORE)]
    outs = {path: held for one in known if one.record for path, held in as_objects(one.record.outs).items()}
    Outputs(session.project).exclude(planner)
    return Expected(outs, tuple(name for name, one in plan.decisions.items() if one not in known), by_code=True)


def outputs_at(project: Project, revision: str) -> Expected:
    """The outputs that a commit stands on, by its note and the records that it names.

    Raises:
        TargetError: the revision names no commit, or nobody has noted what its stages stand on.
    """
    stages = Snapshots(project.backend, project.runs).read(revision).stages
    records = {name: _preferred(project, held) for name, held in stages.items()}
    outs = {path: out for record in records.values() if record for path, out in as_objects(record.outs).items()}
    unknown = tuple(name for name, record in records.items() if record is None)
    return Expected(outs, unknown, tuple(_refusals(project.runs.refused, {name: stages[name] for name in unknown})))


def choose(project: Project, expected: Expected, targets: Sequence[str]) -> dict[str, Object]:
    """What the targets (repository-relative paths or globs; none: all) name of the expected outputs.

    A target may be an output, a folder above outputs, or a path inside a directory output.

    Raises:
        TargetError: a target names nothing.
        MissingObject: it lies in a directory that is not in the store.
    """
    if not targets:
        return dict(expected.outs)
    found: dict[str, Object] = {}
    for target in targets:
        named = _named(project, expected.outs, target)
        if not named:
            hint = (
                near_name(target, expected.outs)
                or "`git pivot show` lists the outputs of a commit, `git pivot dag` those of the stages."
            )
            raise TargetError(f"no output with a known result matches {target or '.'}", hint=hint)
        found |= named
    return found


def check_out(project: Project, wanted: Mapping[str, Object], why: str, *, by_code: bool) -> CheckedOut:
    """Make each path equal to its object. Call it with the work tree's lock held.

    Paths that Git tracks, and without `by_code` those that may be code and that nobody here knows as outputs, are left
    alone; edits that nobody else has are kept first.

    Raises:
        UnsafePath: a folder above a path is a symlink or a repository of its own; then nothing is changed.
    """
    done = CheckedOut()
    writer, keeper = project.writer, keeper_of(project)
    writer.tracked.of(wanted)  # asked once for all of them
    targets = [Target(path, held, by_code=by_code) for path, held in wanted.items()]
    refusals = {target.path: writer.refusal(target) for target in targets}
    for refused in refusals.values():
        if refused and refused.reason in ("unsafe", "symlink", "repository"):
            raise refused.error()

    def keep(path: str) -> Object | None:
        return keeper.keep(project.root / path, why)

    for target in targets:
        refused = refusals[target.path]
        if refused and refused.reason == "tracked":
            done.notices.append(f"{target.path} is left as it is: Git tracks it")
        elif _stands(project, target.path, target.object):
            done.unchanged.append(target.path)
        elif refused:
            done.left.append(refused.text)
        elif not project.store.has(target.object):
            done.missing.append(target.path)
        else:
            if kept := writer.write(target, project.stats, keep):
                done.notices.append(saved_notice(target.path, kept))
            done.restored.append(target.path)
    return done


def _preferred(project: Project, standings: Iterable[CommittedState]) -> Record | None:
    """Of several results of one stage the one whose bytes are here."""
    records = [standing.record for standing in standings if standing.record]
    whole = [one for one in records if all(map(project.store.has, as_objects(one.outs).values()))]
    return next(iter([*whole, *records]), None)


def _refusals(sentences: Sequence[str], stages: Mapping[str, tuple[CommittedState, ...]]) -> Iterator[str]:
    """The sentences that the run cache has about the records of these stages, each with its stage."""
    for name, standings in stages.items():
        starts = {standing.line.fingerprint[:12] for standing in standings if standing.line.fingerprint}
        yield from (f"{name}: {text}" for text in sentences if any(start in text for start in starts))


def _named(project: Project, outs: Mapping[str, Object], target: str) -> dict[str, Object]:
    below = {path: held for path, held in outs.items() if not target or f"{path}/".startswith(f"{target}/")}
    if below:
        return below
    for path, held in outs.items():
        if target.startswith(f"{path}/") and (inside := project.store.find(held.id, target[len(path) + 1 :])):
            return {target: inside}
    return {path: held for path, held in outs.items() if fnmatchcase(path, target)}


def _stands(project: Project, path: str, held: Object) -> bool:
    place = project.root / path
    if not os.path.lexists(place):
        return False
    stands = project.store.identify(place, project.stats)
    return (stands.id, stands.mode) == (held.id, held.mode)
