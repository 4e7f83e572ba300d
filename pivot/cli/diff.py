"""`git pivot diff` and `git pivot blame`: how states of the project differ, and where bytes come from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

import click

from pivot.cli.display import say, to_json
from pivot.cli.session_setup import folder_in, open_session
from pivot.errors import TargetError
from pivot.history.compare import Difference, compare, compare_with_files
from pivot.history.output_text import content_lines
from pivot.history.provenance import Provenance
from pivot.history.snapshot import Snapshots
from pivot.plan.inputs import Inputs
from pivot.project import Project
from pivot.reports.blame import blame_document, blame_lines
from pivot.reports.diff import diff_document, difference_lines, markdown_lines, stage_lines
from pivot.reports.explain import Source


@click.command()
@click.argument("revisions", nargs=-1, metavar="[REV [REV]]")
@click.option("--stages", is_flag=True, help="One line a stage.")
@click.option("--markdown", is_flag=True, help="One row a stage, for a comment.")
@click.option("--source", "sources", is_flag=True, help="The changed lines of the source too.")
@click.option("--content", is_flag=True, help="How small text outputs differ.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def diff(revisions: tuple[str, ...], **forms: bool) -> int:
    """Say which stages differ, and why: code, data, parameters or outputs.

    Between HEAD (or REV) and the work tree; between two commits with REV REV or REV..REV; since two commits parted
    with REV...REV. Two commits are read from notes and records alone: no code is imported.
    """
    sides = _sides(revisions)
    if len(sides) == 1:
        with open_session() as session:
            snapshot = Snapshots(session.project.backend, session.project.runs).read(sides[0])
            found = compare_with_files(snapshot, session.planner(), session.inputs)
            _report(session.project, found, (snapshot.commit, None), forms, session.source)
        return 0
    with Project.open(Path.cwd()) as project:
        snapshots = Snapshots(project.backend, project.runs)
        commits = [snapshots.resolve(side) for side in sides]
        if "..." in revisions[0]:
            commits[0] = snapshots.merge_base(*commits)
        old, new = (snapshots.read(commit) for commit in commits)
        _report(project, compare(old, new), (old.commit, new.commit), forms, project.runs.source)
    return 0


@click.command()
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def blame(path: str, as_json: bool) -> int:
    """Say which commit, stage, fingerprint and run produced the bytes that stand at an output's PATH."""
    with Project.open(Path.cwd()) as project:
        inputs = Inputs(project.root, project.store, project.stats)
        place = posixpath.normpath(posixpath.join(folder_in(project), path))
        stands = inputs.output_at(place)
        if stands is None:
            raise TargetError(f"there is nothing at {path}", hint="`git pivot get REV PATH` shows what a commit had.")
        origin = Provenance(project.backend, project.runs, inputs).find(place, stands.id)
        if origin is None:
            raise TargetError(f"no known run gave the bytes at {path}", hint=f"git log -- {path}")
        if as_json:
            click.echo(to_json(blame_document(origin)))
            return 0
        message = project.backend.read_commit(origin.commit).message if origin.commit else ""
        _echo(blame_lines(origin, message.partition("\n")[0]))
    return 0


def _sides(revisions: tuple[str, ...]) -> list[str]:
    """One revision to compare with the work tree, or two."""
    if len(revisions) == 1 and ".." in revisions[0]:
        old, _, new = revisions[0].partition("..." if "..." in revisions[0] else "..")
        return [old or "HEAD", new or "HEAD"]
    if len(revisions) > 2 or any(".." in one for one in revisions):
        raise click.UsageError("name two revisions at most, or one range A..B or A...B")
    return list(revisions) or ["HEAD"]


def _report(
    project: Project, found: list[Difference], sides: tuple[str, str | None], forms: dict[str, bool], source: Source
) -> None:
    if forms["as_json"]:
        click.echo(to_json(diff_document(found, *sides)))
    elif forms["markdown"]:
        _echo(markdown_lines(found, f"{sides[0][:12]}..{sides[1][:12] if sides[1] else 'work tree'}"))
    elif forms["stages"] or not found:
        _echo(stage_lines(found))
    else:
        blocks = ["\n".join(difference_lines(one, source if forms["sources"] else None)) for one in found]
        say("\n\n".join(blocks))
    if forms["content"] and not forms["as_json"]:
        _show_content(project, found, in_files=sides[1] is None)
    _say_refused(project)


def _show_content(project: Project, found: list[Difference], *, in_files: bool) -> None:
    for one in found:
        for path, (old, new) in one.outs.items():
            if in_files and new:
                project.store.put(project.root / path, project.stats)
            _echo(content_lines(project.store, path, old, new))


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _say_refused(project: Project) -> None:
    for sentence in project.runs.refused:
        say(f"warning: {sentence}", err=True)
