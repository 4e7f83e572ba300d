"""What commits stand on, read from notes and records alone: no code is imported, and nothing is run."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pivot.errors import TargetError
from pivot.git.odb.backend import Backend
from pivot.plan.explain import Past
from pivot.state.notes import NoteLine, Notes
from pivot.state.records import Info, Record
from pivot.state.run_cache import RunCache


class CommittedState(Struct, frozen=True):
    """One line of a note with its record (None: it is not here) and what is said about its runs, the newest first."""

    line: NoteLine
    record: Record | None
    infos: tuple[Info, ...]

    def past(self) -> Past | None:
        own = [info for info in self.infos if info.stage == self.line.stage] or list(self.infos)
        return Past(self.record, own[0] if own else None) if self.record else None


class Snapshot(Struct, frozen=True):
    """The stages of a commit; `noted` is the commit whose note it is: this one, or one with the same files."""

    commit: str
    noted: str
    stages: Mapping[str, tuple[CommittedState, ...]]


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
        noted, lines = self.noted(commit)
        if lines:
            stages = {stage: tuple(map(self._standing, held)) for stage, held in lines.items()}
            return Snapshot(commit, noted, stages)
        raise TargetError(
            f"what the stages of {revision} stand on is not noted",
            hint="`git pivot fetch` brings notes; `git pivot repro` on that commit writes one.",
        )

    def noted(self, commit: str) -> tuple[str, dict[str, tuple[NoteLine, ...]]]:
        """The commit whose note tells of this one, itself or another of the same files, with the lines of that note.

        There are none where nobody has noted anything.
        """
        return self._notes.find(commit)

    def void(self, *commits: str) -> list[tuple[str, str]]:
        """Stages, where they can be told, and why lines of the notes of these commits say nothing."""
        return list(dict.fromkeys(pair for commit in commits for pair in self._notes.void(commit)))

    def lines(self, commit: str) -> dict[str, tuple[NoteLine, ...]]:
        return self._notes.read(commit)

    def _standing(self, line: NoteLine) -> CommittedState:
        if line.fingerprint is None or line.result is None:
            return CommittedState(line, None, ())
        held = [found.record for found in self._runs.lookup(line.fingerprint) if found.result == line.result]
        infos = self._runs.infos(line.fingerprint, line.result) if held else []
        return CommittedState(line, held[0] if held else None, tuple(infos))
