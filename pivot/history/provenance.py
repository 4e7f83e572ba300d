"""Where the bytes at a path come from: the commit, the stage, its situation and its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from pivot.errors import GitError, MissingObject
from pivot.git.odb.backend import Backend
from pivot.history.run_log import RunHistory
from pivot.history.snapshot import Snapshots
from pivot.plan.inputs import Inputs
from pivot.state.notes import NoteLine
from pivot.state.records import Info, Record
from pivot.state.run_cache import RunCache

# How many commits without a note are passed over before the search ends.
SILENT = 1000


class Origin(Struct, frozen=True):
    """`path` is the output that holds the bytes, `id` their object id; `commit` is the first of HEAD's line of commits
    whose note names them (None: no note does), `info` the oldest run known to have given them.
    """

    path: str
    id: str
    stage: str
    fingerprint: str
    result: str
    commit: str | None
    record: Record | None
    info: Info | None


def covering(path: str, outs: Iterable[str]) -> str | None:
    """The output that is, or holds, a path."""
    return next((out for out in outs if path == out or path.startswith(f"{out}/")), None)


class Provenance:
    """Answers for one repository."""

    def __init__(self, backend: Backend, runs: RunCache, inputs: Inputs) -> None:
        self._backend = backend
        self._runs = runs
        self._inputs = inputs
        self._snapshots = Snapshots(backend, runs)

    def find(self, path: str, oid: str) -> Origin | None:
        """Who made the bytes `oid` that stand at a repository-relative path; None where no record names them."""
        noted = self._from_notes(path, oid)
        if noted is not None:
            return self._origin(path, oid, *noted)
        for run in RunHistory(self._backend).runs():
            outs = {out: held.id for out, held in run.record.outs.items()}
            if self._names(outs, path, oid):
                line = NoteLine(run.info.stage, "result", "", run.record.fingerprint, run.record.result)
                return self._origin(path, oid, line, None)
        return None

    def _origin(self, path: str, oid: str, line: NoteLine, commit: str | None) -> Origin:
        fingerprint, result = line.fingerprint or "", line.result or ""
        held = [found.record for found in self._runs.lookup(fingerprint) if found.result == result]
        record = held[0] if held else None
        infos = self._runs.infos(fingerprint, result)
        out = covering(path, record.outs if record else (path,)) or path
        return Origin(out, oid, line.stage, fingerprint, result, commit, record, infos[-1] if infos else None)

    def _from_notes(self, path: str, oid: str) -> tuple[NoteLine, str] | None:
        """The oldest of HEAD's commits, without a break, whose note names these bytes at the path."""
        found: tuple[NoteLine, str] | None = None
        silent = 0
        for commit in self._line_of_commits():
            named = [line for line in self._results(commit) if covering(path, dict(line.outs))]
            same = [line for line in named if self._names(dict(line.outs), path, oid)]
            if named and not same:
                break
            silent = 0 if named else silent + 1
            if silent > SILENT:
                break
            found = (same[0], commit) if same else found
        return found

    def _results(self, commit: str) -> list[NoteLine]:
        return [line for held in self._snapshots.lines(commit).values() for line in held if line.state == "result"]

    def _names(self, outs: Mapping[str, str], path: str, oid: str) -> bool:
        out = covering(path, outs)
        if out is None or out == path:
            return out is not None and outs[out] == oid
        try:
            found = self._inputs.find(outs[out], path[len(out) + 1 :])
        except MissingObject:
            return False  # that directory's bytes are not here, and so it cannot be told
        return found is not None and found.id == oid

    def _line_of_commits(self) -> Iterator[str]:
        commit = self._backend.resolve("HEAD")
        while commit:
            yield commit
            try:
                parents = self._backend.read_commit(commit).parents
                commit = parents[0] if parents and self._backend.has([parents[0]]) else None
            except (MissingObject, GitError):
                return
