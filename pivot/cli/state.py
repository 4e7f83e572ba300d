"""`git pivot fetch`, `pull` and `push`: results, between this clone and a Git remote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pivot.errors import CheckFailed, ProjectError
from pivot.project import Project
from pivot.run.recorder import flush_journal
from pivot.sync.state import State, choose_remote


@click.command()
@click.argument("remote", required=False)
def fetch(remote: str | None) -> int:
    """Bring results from a Git remote, where look-ups find them: results, not their bytes.

    REMOTE is a remote's name or URL; without it, the one that `git fetch` would use.
    """
    with _open_state() as (project, state):
        name = remote or choose_remote(project.location, project.settings)
        _say(name, "new here", state.fetch(name))
    return 0


@click.command()
@click.argument("remote", required=False)
def pull(remote: str | None) -> int:
    """Bring results from a Git remote and unite them with those made here: results, not their bytes.

    REMOTE is a remote's name or URL; without it, the one that `git pull` would use. There are no conflicts.
    """
    with _open_state() as (project, state):
        name = remote or choose_remote(project.location, project.settings)
        _say(name, "new here", state.pull(name))
    return 0


@click.command()
@click.argument("remote", required=False)
def push(remote: str | None) -> int:
    """Give results to a Git remote, united with those that it has: results, not their bytes.

    REMOTE is a remote's name or URL; without it, the one that `git push` would use. Never overwrites anything.
    """
    with _open_state() as (project, state):
        name = remote or choose_remote(project.location, project.settings, pushing=True)
        pushed = state.push(name)
        _say(name, "new there", pushed.taken)
        if pushed.refused:
            told = "; ".join(f"{kind}: {reason}" for kind, reason in pushed.refused.items())
            raise CheckFailed(
                f"{name} does not take results ({told})",
                hint="Ask who runs the server to allow refs/pivot and refs/notes/pivot (transfer.hideRefs, hooks).",
            )
    return 0


@contextmanager
def _open_state() -> Iterator[tuple[Project, State]]:
    with Project.open(Path.cwd()) as project:
        if project.scratch:
            raise ProjectError("results cannot be kept here", where=f"{project.location.common_dir} is not writable")
        flush_journal(project, "repro: results of an interrupted run")
        yield project, State(project.location, project.backend, project.author)


def _say(remote: str, what: str, kinds: list[str] | tuple[str, ...]) -> None:
    click.echo(f"{remote}: {what}: {', '.join(kinds)}" if kinds else f"{remote}: nothing new")
