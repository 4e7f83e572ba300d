"""Whether what a commit's note claims holds together: the check behind `git pivot verify`.

It attests and proves nothing: stages do not run. A claim holds when each stage has a result, its record is here and
self-consistent and gives the outputs that the note names, the store has every byte of them, and each dep of the record
is what the commit itself holds at that path, or what another stage of the same note wrote there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from pivot.errors import PivotError
from pivot.git.command import ask_git
from pivot.git.notes import NoteLine
from pivot.git.records import Record
from pivot.git.safe_path import is_safe_path
from pivot.plan.commit_content import CommitContent
from pivot.plan.snapshot import Snapshots
from pivot.project import Project
from pivot.store.objects import Object


class Problem(Struct, frozen=True):
    """What does not hold; `stage` is empty where it is the commit as a whole."""

    stage: str
    what: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.what}" if self.stage else self.what


class Attested(Struct, frozen=True):
    """One commit that was checked."""

    commit: str
    stages: tuple[str, ...]
    problems: tuple[Problem, ...]


def attest(project: Project, commit: str, *, stored: bool = True) -> Attested:
    """Check one commit; without `stored` whether its outputs' bytes are in the store is not asked.

    A commit that has no pipeline claims nothing, and that holds.

    Raises:
        GitError: the repository cannot be read.
    """
    _, lines = Snapshots(project.backend, project.runs).noted(commit)
    content = CommitContent(project.location, project.backend, commit)
    if not lines:
        lacks = "it has no note; `git pivot repro` on a clean checkout writes one, `git pivot push` brings it"
        return Attested(commit, (), (Problem("", lacks),) if content.pipelines() else ())
    check = _Check(project, content, lines, stored)
    problems = tuple(Problem(stage, what) for stage, group in lines.items() for what in check.stage(group))
    return Attested(commit, tuple(lines), problems)


class _Check:
    def __init__(
        self, project: Project, content: CommitContent, lines: Mapping[str, tuple[NoteLine, ...]], stored: bool
    ) -> None:
        self._project = project
        self._content = content
        self._stored = stored
        self._written = {
            path: {oid for line in group for name, oid in line.outs if name == path}
            for group in lines.values()
            for line in group
            for path, _ in line.outs
        }

    def stage(self, group: tuple[NoteLine, ...]) -> Iterator[str]:
        """What does not hold of one stage; of two results that differ, one is enough to be said."""
        if group[0].state != "result":
            yield f"it is {group[0].state}"
            return
        if len(group) > 1:
            yield f"it has {len(group)} results that differ: {', '.join(line.result or '' for line in group)}"
        for line in group:
            yield from self._line(line)

    def _line(self, line: NoteLine) -> Iterator[str]:
        runs = self._project.runs
        try:
            found = [one.record for one in runs.lookup(line.fingerprint or "") if one.result == line.result]
        except PivotError as error:
            yield error.what
            return
        if not found:
            refused = [text for text in runs.refused if (line.fingerprint or "")[:12] in text]
            yield refused[0] if refused else f"its record {line.fingerprint} is not here; `git pivot fetch` brings it"
            return
        record = found[0]
        if dict(line.outs) != {path: out.id for path, out in record.outs.items()}:
            yield "the note names other outputs than its record"
        yield from self._objects(record)
        yield from self._deps(record)

    def _objects(self, record: Record) -> Iterator[str]:
        outs = {path: Object(out.id, out.mode, out.size) for path, out in record.outs.items()}
        store = self._project.store
        if store.tree_id(outs) != record.tree:
            yield "the outputs of its record do not give the tree that the record names"
        for path, held in outs.items() if self._stored else ():
            if not store.has(held):
                yield f"the store does not have {path} ({held.id[:12]})"

    def _deps(self, record: Record) -> Iterator[str]:
        for path, oid in record.deps.items():
            if path in self._written:
                if oid not in self._written[path]:
                    yield f"it read another {path} than the note's stages wrote"
            elif is_safe_path(path) and not self._is_part_of_output(path):
                yield from self._content.differs(path, oid)

    def _is_part_of_output(self, path: str) -> bool:
        """A dep inside or above outputs: its id follows from theirs, and the stages that write them are checked."""
        return any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in self._written)


def resolve_commit(project: Project, revision: str) -> str | None:
    """The commit that a revision names, tags peeled; None where it names none."""
    return project.backend.resolve(revision)


def commits_in(project: Project, revisions: str) -> list[str] | None:
    """The commits of a range such as `main..topic`, the oldest first; None where Git does not know it."""
    where = project.location
    answer = ask_git(["rev-list", "--reverse", revisions, "--"], where.folder, env=where.environment())
    return None if answer.code else answer.out.decode().split()
