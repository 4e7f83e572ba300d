"""`git pivot logs`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pivot.cli.display import shows_colour
from pivot.cli.session_setup import open_session, pick_stage
from pivot.code.analysis.completion_index import read_names
from pivot.errors import TargetError
from pivot.pool.logs import all_logs, logged_stages, logs_of
from pivot.project import Project
from pivot.reports.ansi import readable

_POLL_SECONDS = 0.1
_PIECE = 1 << 16


@click.command()
@click.argument("stage", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on while a run is under way; without a log, wait for one.")
@click.option("--list", "listed", is_flag=True, help="The logs that are kept, the newest first.")
def logs(stage: str | None, follow: bool, listed: bool) -> int:
    """Show what STAGE printed when it ran last; without STAGE, which stages have logs, the last one to run first.

    Colours are kept on a terminal (unless NO_COLOR is set); whatever else would steer one, such as a moved cursor or a
    new title, is left out. The file that --list names has every byte.
    """
    with Project.open(Path.cwd()) as project:
        folder = project.location.pivot_dir / "logs"
        if stage is None:
            if follow:
                raise TargetError("--follow stays with one stage", hint="git pivot logs STAGE --follow")
            _tell_all(folder, project.cache_dir, listed=listed)
            return 0
        found = logs_of(folder, stage)
        if not found:
            stage = _resolve(stage)
            found = logs_of(folder, stage)
        if listed:
            for path in found:
                click.echo(str(path))
        elif follow:
            _follow(project, folder, stage)
        elif found:
            _copy(found[0])
        if not found and not follow:
            click.echo(f"{stage} printed nothing in the runs kept here", err=True)
    return 0


def _tell_all(folder: Path, cache_dir: Path, *, listed: bool) -> None:
    """The stages that have logs, or these logs."""
    told = [*map(str, all_logs(folder))] if listed else logged_stages(folder, read_names(str(cache_dir)))
    for line in told:
        click.echo(line)
    if not told:
        click.echo("no stage printed anything in the runs kept here", err=True)


def _resolve(stage: str) -> str:
    """The one stage that a target names. Raises `TargetError`."""
    with open_session() as session:
        return pick_stage(session, stage).name


def _copy(path: Path, offset: int = 0) -> int:
    """Write a log from an offset on; where it ends now."""
    colour = shows_colour()
    with path.open("rb") as file:
        file.seek(offset)
        while piece := b"".join(file.readlines(_PIECE)):
            click.echo(readable(piece.decode("utf-8", "replace"), colour=colour).encode(), nl=False)
            offset += len(piece)
    return offset


def _follow(project: Project, folder: Path, stage: str) -> None:
    """Write the log of the run that is under way as it grows, or else the last one; without any, wait for a run."""
    path, offset, seen = None, 0, False
    while True:
        since = project.lock().taken_since()
        newest = next(iter(logs_of(folder, stage)), None)
        if newest is not None and newest != path and (since is None or newest.stat().st_mtime >= since):
            path, offset = newest, 0
        if path is not None:
            offset = _copy(path, offset)
        seen = seen or since is not None
        if since is None and (seen or path is not None):
            return
        time.sleep(_POLL_SECONDS)
