"""`git pivot init`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.cli.trust import confirm_addresses
from pivot.errors import GitError
from pivot.git.plumbing.fetch_refspecs import add_fetch_refspecs, list_remotes
from pivot.hooks.install import Hooks
from pivot.maintenance.gc import state_of
from pivot.project import Project


@click.command()
@click.option("--trust", "agreed", is_flag=True, help="Use the addresses in .pivotconfig without being asked, for CI.")
def init(agreed: bool) -> int:
    """Prepare this clone: bring the results of others, now and with each `git fetch`, and let Git call Pivot's hooks.

    Shows the addresses of outputs in .pivotconfig, and asks whether this clone may use them. Everything else works
    without it. Can be run again at any time.
    """
    with Project.open(Path.cwd()) as project:
        added = add_fetch_refspecs(project.location, list_remotes(project.location))
        for remote in added:
            click.echo(f"git fetch {remote} now brings results and notes too")
        # A bare repository is switched and committed to by nobody; what it may do on a push its owner decides.
        installed = Hooks(project.location).install() if project.location.root else []
        for line in installed:
            click.echo(line)
        if not added and not installed:
            click.echo("nothing to do: the hooks are there, and every Git remote brings results and notes")
        if project.settings.unconfirmed and not confirm_addresses(project, agreed=agreed):
            click.echo("  Run `git pivot trust` to allow the addresses later.", err=True)
        for remote in added:
            _bring_results(project, remote)
    return 0


def _bring_results(project: Project, remote: str) -> None:
    """A new clone knows at once what others have run; one that is offline learns it with its next fetch."""
    try:
        found = state_of(project).fetch(remote)
    except GitError as error:
        click.echo(f"{remote} cannot be asked for results now ({error.what}): git pivot fetch {remote}", err=True)
        return
    if found:
        click.echo(f"{remote}: new here: {', '.join(found)}")
