"""Whether what a commit's note claims holds together: the check behind `git pivot verify`.

It attests and proves nothing: stages do not run. What it cannot tell is said as `unproven`. A claim holds when each
line can be read, each stage has a result, its record is here and self-consistent and gives the outputs that the note
names, the store has every byte of them, the commit itself holds none of them (unless the stage leaves them to Git, and
the bytes are the same), and each dep of the record is what the commit itself holds at that path, or
what another stage of the same note wrote there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from pivot.errors import PivotError
from pivot.git.plumbing.command import ask_git
from pivot.git.safe_path import is_safe_path
from pivot.history.commit_content import CommitContent
from pivot.history.snapshot import Snapshots
from pivot.project import Project
from pivot.state.accepted import Acceptance, Accepted
from pivot.state.notes import NoteLine
from pivot.state.records import Record, digest_of, fingerprint_of
from pivot.store.odb.objects import Object


class Problem(Struct, frozen=True):
    """What does not hold; `stage` is empty where it is the commit as a whole.

    `absent` is the path of an output whose bytes are not here: all that is wrong is that nobody has downloaded it.
    """

    stage: str
    what: str
    absent: str = ""

    def __str__(self) -> str:
        return f"{self.stage}: {self.what}" if self.stage else self.what


class Attested(Struct, frozen=True):
    """One commit that was checked."""

    commit: str
    stages: tuple[str, ...]
    problems: tuple[Problem, ...]
    unproven: tuple[str, ...] = ()


class StageCode(Struct, frozen=True):
    """A stage as an analysis of the commit's own code sees it: digests of what its fingerprint is made from.

    `codes` are the digest of the static code, and those of that code with the modules that each record of it names.
    """

    codes: tuple[str, ...]
    params: str
    spec: str


# Stages by name, or why the commit cannot be analysed.
Analysis = Mapping[str, StageCode] | str

# Given the records of the note by stage, whose imports beyond the static code it has to follow.
Analyser = Callable[[Project, str, Mapping[str, Sequence[Record]]], Analysis]

NOT_IN_NOTE = "its pipeline has it, and the note does not"
NOT_IN_CODE = "the note has it, and no pipeline of the commit does"
NOT_ANALYSED = "that the note lists every stage, and that their code and parameters are those of the commit"


def attest(project: Project, commit: str, *, stored: bool = True, analyse: Analyser | None = None) -> Attested:
    """Check one commit; without `stored` whether its outputs' bytes are in the store is not asked.

    `analyse` imports the commit's code. Without it nobody knows whether the note lists all stages, nor whether their
    code is the commit's: that is left unproven. A commit that has no pipeline claims nothing, and that holds.

    Raises:
        GitError: the repository cannot be read.
    """
    snapshots = Snapshots(project.backend, project.runs)
    noted, lines = snapshots.noted(commit)
    content = CommitContent(project.location, project.backend, commit)
    void = [Problem(stage, what) for stage, what in snapshots.void(commit, noted)]
    if not lines and void:
        return Attested(commit, (), tuple(void))
    if not lines:
        lacks = "it has no note; `git pivot repro` on a clean checkout writes one, `git pivot push` brings it"
        return Attested(commit, (), (Problem("", lacks),) if content.pipelines() else ())
    check = _Check(project, content, lines, stored)
    found = [(stage, what) for stage, group in lines.items() for what in check.stage(group)]
    problems = [*void, *(Problem(stage, what, check.absent.get(what, "")) for stage, what in found)]
    unproven = list(dict.fromkeys(check.unproven))
    if analyse is None:
        unproven.insert(0, NOT_ANALYSED)
    elif not problems:
        against = _AgainstCode(analyse(project, commit, check.records), Accepted(project.backend))
        problems += against.problems(check.records)
        unproven += against.accepted
    return Attested(commit, tuple(lines), tuple(problems), tuple(unproven))


class _AgainstCode:
    """Compares what the commit's own code says with records by stage.

    `accepted` says which changes of code somebody let count without a run: the note holds the old result for them.
    """

    def __init__(self, analysis: Analysis, accepted: Accepted) -> None:
        self._analysis = analysis
        self._acceptances = accepted
        self.accepted: list[str] = []

    def problems(self, records: Mapping[str, Sequence[Record]]) -> Iterator[Problem]:
        if isinstance(self._analysis, str):
            yield Problem("", f"its code cannot be analysed: {self._analysis}")
            return
        for stage in sorted({*self._analysis, *records}):
            if stage not in records:
                yield Problem(stage, NOT_IN_NOTE)
            elif stage not in self._analysis:
                yield Problem(stage, NOT_IN_CODE)
            else:
                code = self._analysis[stage]
                yield from (Problem(stage, what) for one in records[stage] for what in self._stage(stage, code, one))

    def _stage(self, stage: str, code: StageCode, record: Record) -> Iterator[str]:
        found = list(_differences(code, record))
        if not found:
            return
        try:
            acceptance = self._acceptance(stage, code, record)
        except PivotError as error:
            yield error.what
            acceptance = None
        if acceptance is None:
            yield from found
        else:
            self.accepted.append(f"{stage}: the result of its changed code, which {acceptance.who} accepted")

    def _acceptance(self, stage: str, code: StageCode, record: Record) -> Acceptance | None:
        """What lets exactly this record count for the commit's code with the inputs that the record has."""
        for digest in code.codes:
            found = self._acceptances.find(fingerprint_of(digest, code.params, code.spec, record.deps))
            if found and (found.stage, found.fingerprint, found.result) == (stage, record.fingerprint, record.result):
                return found
        return None


def _differences(code: StageCode, record: Record) -> Iterator[str]:
    if digest_of(record.code) not in code.codes:
        yield "its code in the commit is not the code that gave the result"
    if digest_of(record.params) != code.params:
        yield "its parameters in the commit are not those that gave the result"
    if digest_of(record.spec) != code.spec:
        yield "it declares other inputs or outputs in the commit than its record"


class _Check:
    """Looks at the lines of one note. `records` are those that it found, by stage; `unproven` what it cannot tell."""

    def __init__(
        self, project: Project, content: CommitContent, lines: Mapping[str, tuple[NoteLine, ...]], stored: bool
    ) -> None:
        self._project = project
        self._content = content
        self._stored = stored
        self.records: dict[str, list[Record]] = {stage: [] for stage in lines}
        self.unproven: list[str] = []
        self.absent: dict[str, str] = {}
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
        self.records[line.stage].append(record)
        if dict(line.outs) != {path: out.id for path, out in record.outs.items()}:
            yield "the note names other outputs than its record"
        yield from self._objects(record)
        yield from self._tracked(record)
        yield from self._deps(record)

    def _objects(self, record: Record) -> Iterator[str]:
        outs = {path: Object(out.id, out.mode, out.size) for path, out in record.outs.items()}
        store = self._project.store
        if store.tree_id(outs) != record.tree:
            yield "the outputs of its record do not give the tree that the record names"
        for path, held in outs.items() if self._stored else ():
            if not store.has(held):
                what = f"the store does not have {path} ({held.id[:12]})"
                self.absent[what] = path
                yield what

    def _tracked(self, record: Record) -> Iterator[str]:
        """Outputs that are files of the commit: Git keeps those, and no stage may claim to have written them."""
        flags = {path: out["flags"] for out in record.spec["outs"] for path in out["paths"]}
        for path, out in record.outs.items():
            if not self._content.collides(path):
                continue
            if "no-cache" not in flags.get(path, ()):
                yield f"Git tracks its output {path}; `git rm --cached {path}`, or declare it with `cache=False`"
            elif not self._content.holds(path, out.id, out.mode):
                yield f"{path} in the commit is not what the stage wrote"

    def _deps(self, record: Record) -> Iterator[str]:
        declared = _declared(record)
        if declared != record.deps.keys():
            odd = sorted(declared ^ record.deps.keys())
            yield f"its record does not name the inputs that it declares ({', '.join(odd[:3])})"
        for path, oid in record.deps.items():
            if path in self._written:
                if oid not in self._written[path]:
                    yield f"it read another {path} than the note's stages wrote"
            elif holder := next((one for one in self._written if path.startswith(f"{one}/")), None):
                yield from self._inside(path, oid, holder)
            elif not is_safe_path(path) or any(one.startswith(f"{path}/") for one in self._written):
                self.unproven.append(f"what {path} held, which is not in the commit alone")
            elif self._content.is_link(path):
                self.unproven.append(f"what {path} held, which is a link in the commit")
            else:
                yield from self._content.differs(path, oid)

    def _inside(self, path: str, oid: str, holder: str) -> Iterator[str]:
        """A dep inside a directory that a stage of the note wrote."""
        for written in self._written[holder]:
            try:
                found = self._project.store.find(written, path.removeprefix(f"{holder}/"))
            except PivotError:
                self.unproven.append(f"what {path} held, since {holder} is not in the store")
                return
            if found and found.id == oid:
                return
        yield f"it read another {path} than the note's stages wrote"


def _declared(record: Record) -> set[str]:
    """The paths and addresses that the record's own declaration names as inputs; none where it is not one."""
    try:
        deps = [one for one in record.spec["deps"] if one["kind"] in ("dep", "external")]
        return {str(path) for one in deps for path in one["paths"]}
    except (KeyError, TypeError):
        return set()


def resolve_commit(project: Project, revision: str) -> str | None:
    """The commit that a revision names, tags peeled; None where it names none."""
    return project.backend.resolve(revision)


def commits_in(project: Project, revisions: str) -> list[str] | None:
    """The commits of a range such as `main..topic`, the oldest first; None where Git does not know it."""
    where = project.location
    answer = ask_git(["rev-list", "--reverse", revisions, "--"], where.folder, env=where.environment())
    return None if answer.code else answer.out.decode().split()
