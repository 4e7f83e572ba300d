"""Commands that read history: `show`, `log`, `diff`, `blame`. None of them runs anything."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from pivot.cli.display import to_json
from pivot.cli.opening import folder_in, open_session
from pivot.errors import TargetError
from pivot.git.accepted import Accepted
from pivot.git.command import run_git
from pivot.plan.content import content_lines
from pivot.plan.inputs import Inputs
from pivot.plan.provenance import Provenance
from pivot.plan.run_history import RunHistory, read_entries
from pivot.plan.snapshot import Difference, Snapshots, compare, compare_with_files
from pivot.project import Project
from pivot.reports.blame import blame_document, blame_lines
from pivot.reports.diff import diff_document, difference_lines, markdown_lines, stage_lines
from pivot.reports.explain import Source
from pivot.reports.log import log_document, log_lines, stats_lines, stats_rows
from pivot.reports.show import show_document, show_lines

SHOWN = 20


@click.command()
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def show(revision: str, as_json: bool) -> int:
    """Say what the stages stand on at a commit: fingerprints, runs, outputs with their sizes.

    Read from notes and records alone: no code is imported.
    """
    with Project.open(Path.cwd()) as project:
        snapshot = Snapshots(project.backend, project.runs).read(revision)
        _echo(show_lines(snapshot) if not as_json else [to_json(show_document(snapshot))])
        _say_refused(project)
    return 0


@click.command()
@click.argument("stage", required=False)
@click.option("-n", "--number", type=click.IntRange(min=1), help=f"How many runs (default: {SHOWN}).")
@click.option("--since", metavar="DATE", help="Runs since then, in any form that Git knows: 2.weeks, yesterday.")
@click.option("--stats", is_flag=True, help="For each stage how often it ran and how long that took.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def log(stage: str | None, number: int | None, since: str | None, stats: bool, as_json: bool) -> int:
    """List runs, the newest first: when, who, how long, and what had changed since the one before."""
    with Project.open(Path.cwd()) as project:
        limit = number if number or since or stats else SHOWN
        start = _date(project, since) if since else ""
        entries = read_entries(RunHistory(project.backend).runs(stage or ""), start, limit)
        if stage and not entries and not since:
            raise TargetError(f"no run of a stage {stage} is known here", hint="git pivot fetch")
        results = {one.run.record.fingerprint: 0 for one in entries}
        results = {fingerprint: len(project.runs.lookup(fingerprint)) for fingerprint in results}
        if stats:
            rows = stats_rows(entries)
            _echo([to_json({"version": 1, "stages": rows})] if as_json else stats_lines(rows))
        elif as_json:
            click.echo(to_json(log_document(entries, results)))
        else:
            listed = Accepted(project.backend).all()
            accepted = [f"{one.stage}  {one.new[:8]}  {one.when}  {one.who}  {one.why}" for one in listed]
            _echo(log_lines(entries, results, accepted if not stage else []))
    return 0


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
        stands = inputs.at(place)
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
        click.echo("\n\n".join(blocks))
    if forms["content"] and not forms["as_json"]:
        _show_content(project, found, in_files=sides[1] is None)
    _say_refused(project)


def _show_content(project: Project, found: list[Difference], *, in_files: bool) -> None:
    for one in found:
        for path, (old, new) in one.outs.items():
            if in_files and new:
                project.store.put(project.root / path, project.stats)
            _echo(content_lines(project.store, path, old, new))


def _date(project: Project, text: str) -> str:
    """A date in Git's own forms, as UTC in ISO 8601."""
    told = run_git(["rev-parse", f"--since={text}"], project.root).decode().strip()
    seconds = int(told.partition("=")[2])
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _say_refused(project: Project) -> None:
    for sentence in project.runs.refused:
        click.echo(f"warning: {sentence}", err=True)
