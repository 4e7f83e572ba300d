"""What a run does to files: sets old outputs aside, restores known ones, keeps edits, has Git ignore them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pivot.pipeline.spec import StageSpec
from pivot.plan.decision import Action, Decision
from pivot.plan.planner import Planner
from pivot.project import Project
from pivot.run.git_exclude import exclude_outputs
from pivot.run.head_note import conversion_notices, note_head
from pivot.run.recorder import as_objects
from pivot.state.records import Output
from pivot.store.edit_keeper import Keeper, keep_edits
from pivot.store.odb.objects import Object
from pivot.store.worktree.output_backup import BackupArea, OutputBackup
from pivot.store.worktree.saved_edits import Saved
from pivot.store.worktree_writer import Target


class Outputs:
    """The outputs of one work tree during one run; `notices` collects what the user is to be told.

    With `discard_edits` what users wrote into outputs is not put away before it is replaced.
    """

    def __init__(self, project: Project, *, discard_edits: bool = False) -> None:
        self.notices: list[str] = []
        self._project = project
        self._discard = discard_edits
        self._keeper = keeper_of(project)
        self._room = BackupArea(project.pivot_dir)
        self._kept: dict[str, Object] = {}

    def close(self) -> None:
        """Nothing stands aside any more."""
        self._room.close()
        if self._room.was_removed:
            self.notices.append(
                f"{self._project.pivot_dir} was removed while stages ran, and with it what was stored only there: "
                "run `git pivot fsck`, then `git pivot pull` or `git pivot repro`"
            )

    def exclude(self, planner: Planner) -> None:
        """Let Git ignore every output that Pivot keeps."""
        if self._project.scratch:
            return
        self.notices += exclude_outputs(self._project, kept_paths(planner))

    def set_aside(self, spec: StageSpec) -> OutputBackup:
        """Move the old outputs of a stage away until it has ended; edits that nobody else has are saved first."""
        if not self._discard:  # a stage that fails leaves them where they were even so
            self._keep_edits(spec.out_paths(), f"{spec.name} was run")
        aside = OutputBackup(self._room)
        lent = [path for out in spec.outs if out.kind == "incremental" or "keep" in out.flags for path in out.paths]
        if lent:
            aside.lend(self._places(lent))
        places = self._places(path for path in spec.out_paths() if path not in lent)
        aside.aside(places)
        for folder in {place.parent for place in places}:
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
        return aside

    def bring(self, spec: StageSpec, decision: Decision) -> None:
        """Make the outputs in place those of the decision's record, and the store complete."""
        record = decision.record
        if record is None:
            return
        store, stats, root = self._project.store, self._project.stats, self._project.root
        for path in decision.unstored:
            store.put(root / path, stats)
        if decision.unstored:
            store.put_tree(as_objects(record.outs))
        if decision.action is Action.RESTORE:
            if self._discard:
                self._remove_edits(spec.out_paths())
            else:
                self._keep_edits(spec.out_paths(), f"{decision.stage} was restored")
            in_git = {path for out in spec.outs if "no-cache" in out.flags for path in out.paths}
            for path, out in as_objects(record.outs).items():
                target = Target(path, out, by_code=True, in_git=path in in_git)
                self._project.writer.write(target, stats, _no_edits)
            for path in spec.out_paths():
                if path not in record.outs:  # an optional output that this result does not have
                    self._project.writer.remove(path, in_git=path in in_git)

    def forget_equal(self, outs: Mapping[str, Output]) -> None:
        """What was saved before a run, and is what the run wrote, was no edit."""
        for path, out in outs.items():
            kept = self._kept.get(path)
            if kept and (kept.id, kept.mode) == (out.id, out.mode):
                self._keeper.saved.drop(path, self._kept.pop(path))
                notice = saved_notice(path, kept)
                self.notices = [text for text in self.notices if text != notice]

    def place(self, outs: Mapping[str, Object], why: str) -> None:
        """Put outputs of the store, that a stage is to read, in place."""
        self._keep_edits(outs, why)
        for path, held in outs.items():
            self._project.writer.write(Target(path, held, by_code=True, in_git=True), self._project.stats, _no_edits)

    def note(self, planner: Planner) -> list[str]:
        """Write down on HEAD what this run has found out; sentences about what could not be noted."""
        if self._project.scratch:
            return []
        note_head(self._project, planner)
        return list(conversion_notices(self._project, planner))

    def _places(self, paths: Iterable[str]) -> list[Path]:
        return [self._project.root / path for path in paths]

    def _keep_edits(self, paths: Iterable[str], why: str) -> None:
        places = [place for place in self._places(paths) if os.path.lexists(place)]
        for place in filter(Path.is_symlink, places):
            path = place.relative_to(self._project.root).as_posix()
            self.notices.append(f"{path} was a link to {place.readlink()}, and is replaced")
        for place, kept in keep_edits(self._keeper, places, why).items():
            path = place.relative_to(self._project.root).as_posix()
            notice = saved_notice(path, kept)
            self._kept[path] = kept
            self.notices += [notice] if notice not in self.notices else []

    def _remove_edits(self, paths: Iterable[str]) -> None:
        """Or else the store would save them: it overwrites no bytes that it does not have."""
        for place in self._places(paths):
            for file in self._project.store.unknown(place, self._project.stats):
                self._project.writer.remove(Path(file).relative_to(self._project.root).as_posix(), in_git=True)


def _no_edits(path: str) -> None:
    """Edits of all outputs of a stage are saved, or discarded, before the first one is replaced."""


def kept_paths(planner: Planner) -> list[str]:
    """All output paths that Pivot, and not Git, keeps."""
    outs = [out for stage in planner.stages.values() for out in stage.spec.outs if "no-cache" not in out.flags]
    return [path for out in outs for path in out.paths]


def keeper_of(project: Project) -> Keeper:
    saved = Saved(project.pivot_dir / "saved")
    return Keeper(project.root, project.store, project.stats, saved, lasting=project.scratch is None)


def saved_notice(path: str, kept: Object) -> str:
    return f"{path} had edits that no stage made; they are kept: git pivot get {kept.id[:12]} -o {path}.saved"
