"""Commands about outputs: `adopt`, `clean`, `saved`, `get`."""

from __future__ import annotations

import os
import posixpath
import shutil
import sys
from pathlib import Path

import click

from pivot.cli.display import say, to_json
from pivot.cli.session_setup import folder_in, open_session, pick_stage
from pivot.errors import MissingObject, ProjectError, TargetError, UnsafePath
from pivot.git.safe_path import names_git_folder
from pivot.history.provenance import covering
from pivot.history.snapshot import Snapshots
from pivot.operations.adopt import adopt_outputs
from pivot.plan.targets import select
from pivot.project import Project
from pivot.reports.saved import saved_document, saved_line
from pivot.run.clean import clean_outputs
from pivot.store.odb.objects import Object
from pivot.store.worktree.saved_edits import Saved
from pivot.store.worktree_writer import Target


@click.command()
@click.argument("stage")
@click.option("-m", "--message", "why", required=True, help="Why these outputs count; kept with the record.")
def adopt(stage: str, why: str) -> int:
    """Let the outputs that stand in place count as STAGE's result for its present situation.

    For results made by hand or by another tool. Who did it, when and why is kept in the run history.
    """
    with open_session(writing=True) as session:
        if session.project.scratch:
            where = f"{session.project.location.git_dir} is not writable"
            raise ProjectError("nothing can be recorded here", where=where)
        stage = pick_stage(session, stage).name
        record = adopt_outputs(session, stage, why)
        plural = "s" * (len(record.outs) != 1)
        say(f"{stage}: adopted {len(record.outs)} output{plural} as the result of {record.fingerprint[:12]}")
    return 0


@click.command()
@click.argument("targets", nargs=-1, metavar="[STAGE]...")
def clean(targets: tuple[str, ...]) -> int:
    """Remove outputs whose bytes are in the store, and nothing else; `git pivot repro` brings them back."""
    with open_session(writing=True) as session:
        planner = session.planner()
        specs = [stage.spec for stage in planner.stages.values()]
        names = select(targets, specs, planner.graph, folder_in(session.project)) if targets else planner.graph.order
        removed, kept = clean_outputs(session.project, [planner.stages[name].spec for name in names])
        for path in kept:
            say(f"kept {path}: its bytes are not in the store")
        say(f"removed {len(removed)} output{'' if len(removed) == 1 else 's'}")
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def saved(as_json: bool) -> int:
    """List edits of outputs that were put away before a path was replaced."""
    with Project.open(Path.cwd()) as project:
        entries = Saved(project.location.pivot_dir / "saved").entries()
    if as_json:
        click.echo(to_json({"version": 1, "saved": [saved_document(entry) for entry in entries]}))
    for entry in () if as_json else entries:
        say(saved_line(entry))
    return 0


@click.command()
@click.argument("what", nargs=-1, metavar="REV PATH | ID")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write it (default for a file: stdout).")
def get(what: tuple[str, ...], output: Path | None) -> int:
    """Write what a commit had at an output's PATH, or a saved edit named by the start of its id.

    To standard output, or with -o to a file or folder that does not exist yet.
    """
    if len(what) not in (1, 2):
        raise click.UsageError("name a revision and a path, or the id of a saved edit")
    with Project.open(Path.cwd()) as project:
        found = _saved_edit(project, what[0]) if len(what) == 1 else _output_at(project, *what)
        if output in (None, Path("-")):
            _write_out(project, found)
            return 0
        if os.path.lexists(output):
            raise TargetError(f"{output} is there already", hint="Choose another name with -o.")
        _write_to(project, found, output)
    return 0


def _write_to(project: Project, found: Object, output: Path) -> None:
    """In the working tree through its writer, which refuses `.git`, symlinks on the way, and what Git tracks."""
    inside = _place_inside(project, output)
    if inside is not None:
        # You have named the path: it need not be an output, and it may be code.
        project.writer.write(Target(inside, found, by_code=True), project.stats, lambda path: None)
        return
    place = _real(output)
    in_git = any(map(names_git_folder, place.parts)) or place.is_relative_to(project.location.common_dir.resolve())
    if in_git:
        raise UnsafePath(f"{output} is in a folder of Git's own", hint="Choose another path with -o.")
    project.store.restore(found, output.absolute(), project.stats)


def _place_inside(project: Project, output: Path) -> str | None:
    """The path relative to the working tree, if it is there by its spelling or by what its folder really is."""
    root = project.location.root
    if root is None:
        return None
    spelled = Path(os.path.normpath(output.absolute()))
    pairs = ((place, top) for place in (spelled, _real(output)) for top in (root, root.resolve()))
    return next((place.relative_to(top).as_posix() for place, top in pairs if place.is_relative_to(top)), None)


def _real(output: Path) -> Path:
    folder, name = os.path.split(os.path.normpath(output.absolute()))
    return Path(folder).resolve() / name


def _saved_edit(project: Project, start: str) -> Object:
    entries = Saved(project.location.pivot_dir / "saved").entries()
    found = {entry.object for entry in entries if entry.object.id.startswith(start)}
    if len(found) != 1:
        what = "no saved edit has" if not found else "several saved edits have"
        revision, colon, path = start.partition(":")
        meant = f"For an output of a commit: git pivot get {revision or 'HEAD'} {path}"
        hint = meant if colon and path else "`git pivot saved` lists them."
        raise TargetError(f"{what} an id that starts with {start}", hint=hint)
    return found.pop()


def _output_at(project: Project, revision: str, path: str) -> Object:
    place = posixpath.normpath(posixpath.join(folder_in(project), path))
    snapshot = Snapshots(project.backend, project.runs).read(revision)
    for standing in (one for held in snapshot.stages.values() for one in held):
        held_at = covering(place, dict(standing.line.outs))
        if held_at is None:
            continue
        if standing.record is None or held_at not in standing.record.outs:
            raise TargetError(f"the record of {standing.line.stage} at {revision} is not here", hint="git pivot fetch")
        out = standing.record.outs[held_at]
        found = Object(out.id, out.mode, out.size)
        inside = project.store.find(out.id, place[len(held_at) + 1 :]) if place != held_at else found
        if inside:
            return inside
    raise TargetError(f"no stage had an output {path} at {revision}", hint=f"git show {revision}:{path}")


def _write_out(project: Project, found: Object) -> None:
    if found.is_directory:
        raise TargetError("this is a directory", hint="Say with -o where to write it.")
    if not project.store.has(found):
        raise MissingObject(f"the store does not have {found.id}", hint="git pivot pull")
    stream = sys.stdout.buffer
    large = project.store.large_path(found.id)
    if large is None:
        stream.write(project.store.read(found.id))
        return
    with large.open("rb") as file:
        shutil.copyfileobj(file, stream)
