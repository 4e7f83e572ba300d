"""`git pivot init`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.git.remotes import add_fetch_refspecs, list_remotes
from pivot.hooks.install import Hooks
from pivot.project import Project


@click.command()
def init() -> int:
    """Prepare this clone: let a plain `git fetch` bring the results of others, and let Git call Pivot's hooks.

    Everything else works without it. Can be run again at any time.
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
    return 0
