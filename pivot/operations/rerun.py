"""A commit's stages run again where nothing is known of them, and what came out compared with what its note claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from pivot.git.plumbing.locate import locate
from pivot.history.attestation import NOT_ANALYSED, NOT_IN_CODE, NOT_IN_NOTE, Attested, Problem
from pivot.history.snapshot import Snapshots
from pivot.operations.clean_checkout import ReproProcess, own_tree
from pivot.operations.sandbox import Sandbox
from pivot.project import Project
from pivot.state.notes import NoteLine, Notes

Lines = Mapping[str, tuple[NoteLine, ...]]


def rerun(project: Project, checked: Attested, limit: float, sandbox: Sandbox) -> Iterator[str | Attested]:
    """Lines of the run as they come, and at last `checked` with what the run has proved wrong.

    A run that takes more than `limit` seconds has proved nothing.

    Raises:
        GitError: the commit cannot be checked out.
    """
    if not checked.stages:
        yield checked  # it claims nothing, or has no note, which was said
        return
    _, claimed = Snapshots(project.backend, project.runs).noted(checked.commit)
    with own_tree(project.location, checked.commit) as room:
        with ReproProcess(room, limit=limit, sandbox=sandbox) as repro:
            yield from repro.lines()
        with Project(locate(room.root)) as again:
            found = Notes(again.backend).read(checked.commit)
    late = [Problem("", f"run again, it took longer than {limit:g} s")] if repro.code is None else []
    problems = late or (list(_differences(claimed, found)) if found else [_no_run(repro.code)])
    unproven = tuple(one for one in checked.unproven if one != NOT_ANALYSED or repro.code is None)
    yield replace(checked, problems=(*checked.problems, *problems), unproven=unproven)


def _no_run(code: int | None) -> Problem:
    return Problem("", f"it cannot be run again: `git pivot repro` on a clean checkout ended with {code}")


def _differences(claimed: Lines, found: Lines) -> Iterator[Problem]:
    for stage in sorted({*claimed, *found}):
        if stage not in claimed:
            yield Problem(stage, NOT_IN_NOTE)
        elif stage not in found:
            yield Problem(stage, NOT_IN_CODE)
        elif claimed[stage][0].state == "result":  # what is stale or unknown was said
            yield from (Problem(stage, what) for what in _difference(claimed[stage], found[stage][0]))


def _difference(claimed: tuple[NoteLine, ...], found: NoteLine) -> Iterator[str]:
    if found.state != "result":
        yield "run again, it fails" if found.state == "stale" else "run again, it changes files that Git tracks"
        return
    if any((line.fingerprint, line.result) == (found.fingerprint, found.result) for line in claimed):
        return
    before, after = dict(claimed[0].outs), dict(found.outs)
    paths = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    if paths:
        yield f"run again, it wrote another {', '.join(paths)}"
    else:
        yield "run again, it wrote the same from other inputs or code than its record names"
