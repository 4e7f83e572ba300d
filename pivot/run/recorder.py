"""Turns finished stages into records: into the journal at once, into the run cache at least once a second."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from pivot.errors import GitError
from pivot.plan.known_results import Memory
from pivot.plan.situation import Situation
from pivot.project import Project
from pivot.state.journal import Finished, Reach
from pivot.state.records import Info, Output, Record
from pivot.store.odb.objects import Object

FLUSH_SECONDS = 1.0
INTERRUPTED = "repro: results of an interrupted run"
_NAMED = 3


class Result(Struct, frozen=True):
    """What a stage came to: `modules` were imported beyond its manifest, `files` (id -> bytes) are not stored yet."""

    record: Record
    info: Info
    modules: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


class Recorder:
    """Writes what a run found out. With `verb` the run history says which command it was."""

    def __init__(self, project: Project, memory: Memory, verb: str) -> None:
        self._project = project
        self._memory = memory
        self._verb = verb
        self._waiting: list[Finished] = []
        self._told: set[str] = set()
        self._flushed = time.monotonic()

    def write(self, situation: Situation, result: Result) -> None:
        """Keep a result: from here on, no crash loses it."""
        name, record = situation.stage.name, result.record
        reach = Reach(situation.static, result.modules) if result.modules else None
        self._memory.last.remember(name, record.fingerprint, record.result)
        if self._project.scratch:
            return
        finished = Finished(name, record, result.info, self._new_sources(situation), reach, result.files)
        self._waiting.append(self._project.journal.append(finished))
        self._told.update(finished.sources)

    def _new_sources(self, situation: Situation) -> dict[str, str]:
        """The texts of the stage's entries; one that this run has written is in the journal, or in the run cache."""
        entries = situation.stage.manifest.entries
        return {one.digest: one.source for one in entries if one.source and one.digest not in self._told}

    def flush(self, *, now: bool = False) -> None:
        """Bring the journal into `refs/pivot/runs`; without `now`, only when a second has gone by."""
        if not self._waiting or not (now or time.monotonic() - self._flushed >= FLUSH_SECONDS):
            return
        message = _message(self._verb, [finished.stage for finished in self._waiting])
        flush_journal(self._project, message, self._waiting)
        self._memory.refresh()
        self._waiting.clear()
        self._flushed = time.monotonic()


def _message(verb: str, stages: Sequence[str]) -> str:
    """The first line is short, whatever there is; all stages stand below it if they do not fit."""
    if len(stages) <= _NAMED:
        return f"{verb}: {', '.join(stages)}"
    first = f"{verb}: {', '.join(stages[:_NAMED])} and {len(stages) - _NAMED} more"
    return "\n".join([first, "", *stages])


def as_objects(outs: Mapping[str, Output]) -> dict[str, Object]:
    return {path: Object(out.id, out.mode, out.size) for path, out in outs.items()}


def flush_journal(project: Project, message: str = INTERRUPTED, known: Sequence[Finished] = ()) -> int:
    """Bring what the journal holds into the run cache; the number of results. What is `known` of it is not read again.

    Raises:
        GitError: the ref cannot be moved. The journal keeps everything for the next start.
    """
    if project.scratch:
        return 0
    pending = project.journal.pending(known)
    if not pending:
        return 0
    files = {oid: data for finished in pending for oid, data in finished.files.items()}
    project.store.put_trees((as_objects(finished.record.outs) for finished in pending), files.values())
    try:
        project.runs.flush(pending, message, project.author)
    except GitError as error:
        raise GitError(
            f"the run cache could not be written: {error.what}",
            where=error.where,
            hint="Nothing is lost: the next `git pivot repro` writes it from the journal.",
        ) from error
    project.journal.clear(pending)
    return len(pending)
