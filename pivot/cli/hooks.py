"""`git pivot hooks install`, `uninstall` and `status`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.git.config import read_settings
from pivot.git.locate import Location, locate
from pivot.hooks.install import Hooks

ACTIONS = ("install", "uninstall", "status")


@click.command()
@click.argument("action", type=click.Choice(ACTIONS), default="status")
@click.option("--server", is_flag=True, help="Those of a repository that others push to: they check, or run, a push.")
def hooks(action: str, server: bool) -> int:
    """Let Git call Pivot: outputs follow a switch of branches, commits get notes, results go with a push.

    Hooks of others stay and run first. `status`, the default, ends with 1 where a hook is not installed; in a bare
    repository it is about those of a server. `uninstall` removes those of a server too.
    """
    location = locate(Path.cwd())
    found = Hooks(location, server=server or (action == "status" and location.root is None))
    if action == "status":
        states = found.status()
        for state in states:
            click.echo(f"{state.name}: {'' if state.installed else 'not installed: '}{state.how}")
        return 0 if all(state.installed for state in states) else 1
    lines = found.install() if action == "install" else found.uninstall()
    click.echo("\n".join(lines) if lines else "nothing to do")
    if action == "install" and server:
        _say_what_is_set(location)
    return 0


def _say_what_is_set(location: Location) -> None:
    """Installed alone they do nothing: what happens on a push is for the owner of the server to say."""
    if read_settings(location).get("pivot.ci", "off") == "off":
        click.echo("pivot.ci is not set, so nothing happens on a push: git config pivot.ci verify, or run", err=True)
