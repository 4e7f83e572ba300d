"""`git pivot show` and `git pivot log`: read from notes and records alone, so that they start quickly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from pivot.cli.display import say, to_json
from pivot.errors import TargetError
from pivot.git.odb.backend import Backend
from pivot.git.odb.open import open_reader
from pivot.git.plumbing.command import ask_git
from pivot.history.run_log import FARTHEST, RunHistory, read_entries
from pivot.history.snapshot import Snapshots
from pivot.plan.targets import unknown_stage
from pivot.project import Project
from pivot.reports.log import log_document, log_lines, stats_lines, stats_rows
from pivot.reports.show import show_document, show_lines
from pivot.state.accepted import Accepted
from pivot.state.run_cache import RunCache

SHOWN = 20


@click.command()
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def show(revision: str, as_json: bool) -> int:
    """Say what the stages stand on at a commit: fingerprints, runs, outputs with their sizes.

    Read from notes and records alone: no code is imported.
    """
    with _open_runs() as (_, backend, runs):
        snapshot = Snapshots(backend, runs).read(revision)
        _echo(show_lines(snapshot) if not as_json else [to_json(show_document(snapshot))])
        for sentence in runs.refused:
            say(f"warning: {sentence}", err=True)
    return 0


@click.command()
@click.argument("stage", required=False)
@click.option("-n", "--number", type=click.IntRange(min=1), help=f"How many runs (default: {SHOWN}).")
@click.option("--since", metavar="DATE", help="Runs since then, in any form that Git knows: 2.weeks, yesterday.")
@click.option("--stats", is_flag=True, help="For each stage how often it ran and how long that took.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def log(stage: str | None, number: int | None, since: str | None, stats: bool, as_json: bool) -> int:
    """List runs, the newest first: when, who, how long, and what had changed since the one before."""
    with _open_runs() as (project, backend, runs):
        limit = number if number or since or stats else SHOWN
        start = _date(project, since) if since else ""
        history = RunHistory(backend)
        entries = read_entries(history.runs(stage or ""), start, limit)
        for sentence in history.refused:
            say(f"warning: {sentence}", err=True)
        if stage and not entries and not since:
            raise _unknown(stage, RunHistory(backend))
        if since and not entries:
            say(f"no run since {start} is known here", err=True)
        results = {one.run.record.fingerprint: 0 for one in entries}
        results = {fingerprint: len(runs.lookup(fingerprint)) for fingerprint in results}
        if stats:
            rows = stats_rows(entries)
            _echo([to_json({"version": 1, "stages": rows})] if as_json else stats_lines(rows))
        elif as_json:
            click.echo(to_json(log_document(entries, results)))
        else:
            listed = Accepted(backend).all()
            accepted = [f"{one.stage}  {one.new[:8]}  {one.when}  {one.who}  {one.why}" for one in listed]
            _echo(log_lines(entries, results, accepted if not stage else []))
    return 0


@contextmanager
def _open_runs() -> Iterator[tuple[Project, Backend, RunCache]]:
    """The run cache, read without libgit2, whose import takes longer than all that these commands do."""
    with ExitStack() as stack:
        project = stack.enter_context(Project.open(Path.cwd()))
        backend = stack.enter_context(closing(open_reader(project.location.git_dir, project.location.common_dir)))
        yield project, backend, RunCache(backend)


def _unknown(stage: str, history: RunHistory) -> TargetError:
    names = {run.info.stage for run in islice(history.runs(), FARTHEST)}
    error = unknown_stage(stage, names, "Run `git pivot fetch` to download other people's results.")
    return TargetError(f"no run of a stage {stage} is known here", hint=error.hint)


def _date(project: Project, text: str) -> str:
    """A date in Git's own forms, as UTC in ISO 8601.

    `git rev-parse --since` takes what it does not understand for now; a setting of this type is refused then, and has
    words of its own for no date.

    Raises:
        TargetError: it is not a date.
    """
    word = text.strip().lower()
    if word == "now":
        return datetime.now(UTC).isoformat(timespec="seconds")
    asked = ["-c", f"pivot.since={text}", "config", "--type=expiry-date", "pivot.since"]
    answer = ask_git(asked, project.location.folder)
    try:
        seconds = int(answer.out if not answer.code and word not in ("all", "false") else "")
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        raise TargetError(
            f"--since: {text} is not a date", hint="Write a date such as 2024-02-29, yesterday or 2.weeks.ago."
        ) from None


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
