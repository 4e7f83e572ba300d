"""After a switch of branches the outputs follow: from the new commit's note, without looking at the user's code.

What the note names and what stands there are compared; what differs is restored from the store. What the last state put
here and the note does not list goes away, if the store has every byte of it. Bytes that are nowhere else are saved
before they are replaced, and are never removed. What Git tracks, and what a symlinked folder leads to, is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from msgspec import Struct, field

from pivot.errors import LockTimeout, MissingObject, PivotError, UnsafePath
from pivot.git.odb.open import open_reader
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.git.safe_path import is_safe_path
from pivot.hooks.branch_edits import Edits
from pivot.hooks.outputs import listed_outputs, remember_outputs
from pivot.hooks.wording import is_nothing, moved, plural, some
from pivot.project import Project
from pivot.sharing.pull_outputs import bring, how_to_bring
from pivot.state.notes import NoteLine, Notes
from pivot.state.records import Record
from pivot.state.run_cache import RunCache
from pivot.store.odb.objects import Object
from pivot.store.worktree_writer import Refusal, Target

CHOICES = ("restore", "pull", "report", "off")
MANY = 3  # stages or paths that one line names

Note = Mapping[str, tuple[NoteLine, ...]]


class Done(Struct):
    """What was found and done, by repository-relative path; `notices` are sentences of their own."""

    unchanged: int = 0
    restored: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class Wanted(Struct, frozen=True):
    """An output that the note names, and the result that it belongs to."""

    path: str
    oid: str
    line: NoteLine


def follow(location: RepositoryLocation, old: str, new: str, *, merged: bool = False) -> list[str]:
    """Bring the outputs of `new` into the work tree; lines for the user.

    After a merge (`merged`) nothing is said of a commit that has no note: the next `git pivot repro` gives it one.

    Raises:
        GitError: the repository cannot be read.
        SettingError: `pivot.checkout` is none of `CHOICES`.
    """
    with Project(location) as project, closing(open_reader(location.git_dir, location.common_dir)) as backend:
        mode = project.settings.get_choice("pivot.checkout", CHOICES, "restore")
        listed = listed_outputs(project)
        notes = Notes(backend)
        _, now = notes.find(new)
        if mode == "off" or project.scratch or not (now or listed):
            return []
        where = moved(location, old, new)
        before = _note_of(notes, old)
        edits = Edits(project, (old, new), {path: oid for lines in before.values() for path, oid in lines[0].outs})
        if not now:
            edits.leave(listed.intersection(edits.before) if mode != "report" else ())
            text = (
                f"{where}: outputs stay as they are: {new[:8]} has no note; `git pivot repro` finds out what it needs"
            )
            return [] if merged else [text]
        switch = Switch(project, RunCache(backend), (before, now), edits)
        try:
            with project.lock():
                done = switch.report() if mode == "report" else switch.perform(listed, pull=mode == "pull")
        except LockTimeout as error:
            return [f"{where}: outputs stay as they are: {error.what}"]
        return [*_summary(where, done, now, mode, how_to_bring(project, done.lacking)), *_left(done), *done.notices]


class Switch:
    """One switch from a commit with the note `before` to one with the note `now`."""

    def __init__(
        self,
        project: Project,
        runs: RunCache,
        notes: tuple[Note, Note],
        edits: Edits,
    ) -> None:
        self._project = project
        self._runs = runs
        self._edits = edits
        self._before, now = notes
        self._undecided = {stage for stage, lines in now.items() if lines[0].state != "result"}
        self._wanted = {
            one.path: one
            for stage, lines in now.items()
            if stage not in self._undecided
            for one in self._outputs(self._choose(lines))
        }

    def report(self) -> Done:
        """What would be restored."""
        differing = [one for one in self._differing() if not self._refusal(one)]
        return Done(len(self._wanted) - len(differing), restored=[one.path for one in differing])

    def perform(self, listed: set[str], *, pull: bool = False) -> Done:
        """Remove, then restore, and have Git ignore what is an output now; `listed` is what was one before.

        With `pull` what the store lacks is brought from the remote of outputs.
        """
        differing, returning = self._differing(), self._returning()
        gone = [path for path in sorted(listed) if self._is_gone(path)]
        kept_by_git = self._project.writer.tracked.of([*gone, *(one.path for one in (*differing, *returning))])
        done = Done(len(self._wanted) - len(differing) - len(returning))
        for path in gone:
            if path not in kept_by_git:
                self._remove(path, done)
        wanted = [one for one in differing if one.path not in kept_by_git]
        for one in (*wanted, *(one for one in returning if one.path not in kept_by_git)):
            self._restore(one, done)
        if pull and done.lacking:
            self._pull([one for one in wanted if one.path in done.lacking], done)
        left = {path for path in listed - self._wanted.keys() if os.path.lexists(self._place(path))}
        new = {path for path in self._wanted.keys() - listed if self._is_kept(self._wanted[path], kept_by_git)}
        new -= set(done.left)
        done.notices += remember_outputs(self._project, listed, left | new | (listed & self._wanted.keys()))
        return done

    def _outputs(self, line: NoteLine) -> list[Wanted]:
        """A note may come from anyone: a path that leads out of the project is none."""
        return [Wanted(path, oid, line) for path, oid in line.outs if is_safe_path(path)]

    def _choose(self, lines: tuple[NoteLine, ...]) -> NoteLine:
        """Of several results the one in place, else one whose bytes are here, else the first."""
        if len(lines) == 1:
            return lines[0]
        in_place = [line for line in lines if all(self._stands(one) for one in self._outputs(line))]
        here = [line for line in lines if self._is_here(self._record(line))]
        return [*in_place, *here, *lines][0]

    def _differing(self) -> list[Wanted]:
        back = self._edits.back
        return [one for one in self._wanted.values() if one.path not in back and not self._stands(one)]

    def _returning(self) -> list[Wanted]:
        """Those that the user had edited when this commit was left."""
        return [one for one in self._wanted.values() if one.path in self._edits.back]

    def _stands(self, one: Wanted) -> bool:
        place = self._place(one.path)
        if not os.path.lexists(place):
            return False
        try:
            return self._project.store.identify(place, self._project.stats).id == one.oid
        except PivotError:
            return False  # a socket, or a file that cannot be read: restoring it says what is wrong

    def _record(self, line: NoteLine) -> Record | None:
        found = self._runs.lookup(line.fingerprint or "")
        return next((one.record for one in found if one.result == line.result), None)

    def _is_here(self, record: Record | None) -> bool:
        outs = record.outs.values() if record else ()
        return record is not None and all(self._project.store.has(Object(o.id, o.mode, o.size)) for o in outs)

    def _is_kept(self, one: Wanted, kept_by_git: set[str]) -> bool:
        """Is it Pivot that keeps this path, and not Git?"""
        record = self._record(one.line)
        return record is not None and one.path not in kept_by_git and not _is_git_kept(record, one.path)

    def _restore(self, one: Wanted, done: Done) -> None:
        record = self._record(one.line)
        out = record.outs.get(one.path) if record else None
        if record is not None and _is_git_kept(record, one.path):
            return
        edit = self._edits.back.get(one.path)
        held = edit or (Object(out.id, out.mode, out.size) if out and out.id == one.oid else None)
        target = Target(one.path, held) if held else None
        if target and self._is_refused(target, done):
            return
        if target is None or not self._project.store.has(target.object):
            done.lacking.append(one.path)
            return
        try:
            if not edit or not self._edits.stays(one.path):
                self._project.writer.write(target, self._project.stats, lambda path: self._save_edit(path, done))
        except (PivotError, OSError) as error:
            what = error.what if isinstance(error, PivotError) else error.strerror
            in_the_way = isinstance(error, UnsafePath) and error.where
            mend = "checkout` brings it when that is gone" if in_the_way else "repro` makes it again"
            done.notices.append(f"{one.path} could not be restored: {what}; `git pivot {mend}")
            return
        if edit:
            self._edits.returned(one.path)
            done.notices.append(f"{one.path} is as you had edited it; `git pivot checkout {one.path}` takes that back")
            return
        done.restored.append(one.path)

    def _refusal(self, one: Wanted) -> Refusal | None:
        record = self._record(one.line)
        out = record.outs.get(one.path) if record else None
        return self._project.writer.refusal(Target(one.path, Object(out.id, out.mode, out.size))) if out else None

    def _is_refused(self, target: Target, done: Done) -> bool:
        refused = self._project.writer.refusal(target)
        if refused is None:
            return False
        if refused.reason in ("unknown", "in the way"):
            done.left.append(target.path)
        elif refused.reason == "symlink":
            through = self._project.writer.symlink_above(target.path)
            done.notices.append(f"{target.path} stays as it is: {through} is a symlink")
        elif refused.reason != "tracked":
            done.notices.append(f"{target.path} stays as it is: {refused.text}")
        return True

    def _pull(self, lacking: list[Wanted], done: Done) -> None:
        trouble = bring(self._project, [(one.path, self._record(one.line)) for one in lacking])
        done.notices += [f"nothing was pulled: {trouble}"] if trouble else []
        done.lacking.clear()
        for one in lacking:
            self._restore(one, done)

    def _save_edit(self, path: str, done: Done) -> None:
        if kept := self._edits.keep(path):
            # Only where it is needed: with the planner behind it, this import takes longer than all else here.
            from pivot.run.outputs import saved_notice

            done.notices.append(saved_notice(path, kept))

    def _is_gone(self, path: str) -> bool:
        """Was it put here for the last commit, and is it no output of this one?

        The path of a stage that is stale or unknown here may well be its output still: it stays.
        """
        if any(path == other or _is_inside(path, other) or _is_inside(other, path) for other in self._wanted):
            return False
        owners = {stage for stage, lines in self._before.items() for line in lines if path in dict(line.outs)}
        return not (owners or self._undecided) & self._undecided and os.path.lexists(self._place(path))

    def _remove(self, path: str, done: Done) -> None:
        store, stats, place = self._project.store, self._project.stats, self._place(path)
        if self._project.writer.symlink_above(path):
            return
        try:
            if self._edits.is_edit(path) or not store.has(store.identify(place, stats)):
                self._edits.keep(path)
                done.notices.append(f"{path} is no output here and stays, since it was edited")
                return
            self._project.writer.remove(path)
        except (PivotError, OSError) as error:
            what = error.what if isinstance(error, PivotError) else error.strerror
            done.notices.append(f"{path} is no output here and stays: {what}")
            return
        done.removed.append(path)

    def _place(self, path: str) -> Path:
        return self._project.root / path


def _note_of(notes: Notes, commit: str) -> dict[str, tuple[NoteLine, ...]]:
    """Of the commit that was left; a new clone or work tree comes from none."""
    try:
        return {} if is_nothing(commit) else notes.read(commit)
    except MissingObject:
        return {}


def _is_inside(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _is_git_kept(record: Record, path: str) -> bool:
    """Was it declared with `cache=False`? Then Git versions it, and brings it on a switch."""
    return any("no-cache" in out["flags"] for out in record.spec["outs"] if path in out["paths"])


def _summary(where: str, done: Done, now: Mapping[str, tuple[NoteLine, ...]], mode: str, mend: str) -> list[str]:
    """The one line that tells what happened, and with `mend` what brings what is lacking; none where nothing did."""
    said = [_verb(done.restored, "not those of this commit" if mode == "report" else "restored")]
    said.append(f"{len(done.removed)} removed" if done.removed else "")
    moved = [*filter(None, said)]
    told = list[str]()
    if done.lacking:
        told.append(f"{plural(len(done.lacking), 'output')} not in the store ({mend})")
    for state in ("stale", "unknown"):
        stages = [stage for stage, lines in now.items() if lines[0].state == state]
        told += [f"{some(stages, MANY, 'stages')} {'is' if len(stages) == 1 else 'are'} {state}"] if stages else []
    if not moved and not told:
        return []
    return [f"{where}: {', '.join([*moved, f'{done.unchanged} unchanged', *told])}"]


def _left(done: Done) -> list[str]:
    """A line about outputs that a hook may not write: it imports no code that would say that they are outputs."""
    if not done.left:
        return []
    shown = ", ".join(done.left[:MANY])
    more = f" and {len(done.left) - MANY} more" if len(done.left) > MANY else ""
    are = "is" if len(done.left) == 1 else "are"
    return [f"{shown}{more} {are} left to `git pivot checkout`: no analysis of the code in this clone has named it yet"]


def _verb(paths: Iterable[str], what: str) -> str:
    number = len(list(paths))
    return f"{plural(number, 'output')} {what}" if number else ""
