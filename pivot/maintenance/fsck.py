"""Reading every byte that a record names, and saying what is lost and how it comes back."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from pivot.errors import DamagedObject, MissingObject
from pivot.plan.known_results import LastResults
from pivot.project import Project
from pivot.run.recorder import as_objects
from pivot.state.notes import Notes, head_lines
from pivot.state.records import Record
from pivot.state.run_cache import Found
from pivot.store.odb.objects import Object, ObjectProblem


class Loss(Struct, frozen=True):
    """An output of a record of which something is missing or damaged; `again` is what brings it back."""

    stage: str
    fingerprint: str
    result: str
    path: str
    problems: tuple[ObjectProblem, ...]
    again: str


class Checked(Struct):
    """What `fsck` found. `absent`: records none of whose bytes ever came here; `mended`: lists of outputs that were
    damaged, and have been written again from their records; `refused`: records that are not believed; `unreadable`:
    details of runs and notes that are left out.
    """

    records: int = 0
    objects: int = 0
    absent: int = 0
    mended: int = 0
    losses: list[Loss] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.losses or self.mended or self.refused or self.unreadable)


def check_store(project: Project, tell: Callable[[int, int], None]) -> Checked:
    """Check every object of every record; `tell` hears how many records of how many are done.

    A damaged object is out of the way afterwards, so that it counts as missing and can be made or brought again.
    """
    checker = _Checker(project)
    names = list(project.runs.fingerprints())
    for done, (fingerprint, result) in enumerate(names):
        tell(done, len(names))
        for found in project.runs.lookup(fingerprint):
            if found.result == result:
                checker.check(found)
    checker.check_notes()
    return checker.finish()


class _Checker:
    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[str, str] = {}
        self._checked = Checked()
        self._stood = set(LastResults(project.cache_dir / "last").by_stage.values())
        self._current = self._stood | _noted(project)
        self._has_remote = bool(project.settings.subsections("pivot-remote"))

    def check(self, found: Found) -> None:
        store, record = self._project.store, found.record
        self._checked.unreadable += self._project.runs.unreadable(found.fingerprint, found.result)
        outs = as_objects(record.outs)
        problems = {path: store.verify(held, self._known) for path, held in outs.items()}
        self._checked.records += 1
        came = self._came(record) or (found.fingerprint, found.result) in self._stood
        if not came and outs and all(_never_came(outs[path], held) for path, held in problems.items()):
            self._checked.absent += 1
            return
        stage = self._stage(found)
        for path, held in problems.items():
            if held:
                again = self._again(found, stage)
                self._checked.losses.append(Loss(stage, found.fingerprint, found.result, path, tuple(held), again))

    def check_notes(self) -> None:
        notes = Notes(self._project.backend)
        for commit in notes.commits():
            notes.lines(commit)
        self._checked.unreadable += notes.refused.values()

    def finish(self) -> Checked:
        self._checked.objects = len(self._known)
        self._checked.refused = list(self._project.runs.refused)
        return self._checked

    def _came(self, record: Record) -> bool:
        """Whether this store had the outputs once: then it has the list of them too, which is mended if damaged."""
        try:
            self._project.store.entries(record.tree)
        except MissingObject:
            return False
        except DamagedObject:
            self._project.store.put_tree(as_objects(record.outs))
            self._checked.mended += 1
        return True

    def _stage(self, found: Found) -> str:
        infos = self._project.runs.infos(found.fingerprint, found.result)
        return infos[0].stage if infos else found.fingerprint[:12]

    def _again(self, found: Found, stage: str) -> str:
        if (found.fingerprint, found.result) in self._current:
            return f"git pivot repro {stage}"
        if self._has_remote:
            return "git pivot pull"
        return "`git pivot repro` on a commit that has it; `git pivot log` lists them"


def _never_came(held: Object, problems: list[ObjectProblem]) -> bool:
    return problems == [ObjectProblem(held.id, "missing", "")]


def _noted(project: Project) -> set[tuple[str, str]]:
    """The records that HEAD stands on."""
    lines = [line for held in head_lines(project.backend).values() for line in held]
    return {(line.fingerprint or "", line.result or "") for line in lines}
