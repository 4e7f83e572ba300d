"""`git pivot hooks install`, `uninstall` and `status`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.git.locate import locate
from pivot.hooks.install import Hooks

ACTIONS = ("install", "uninstall", "status")


@click.command()
@click.argument("action", type=click.Choice(ACTIONS), default="status")
def hooks(action: str) -> int:
    """Let Git call Pivot: outputs follow a switch of branches, commits get notes, results go with a push.

    Hooks of others stay and run first. `status`, the default, ends with 1 where a hook is not installed.
    """
    found = Hooks(locate(Path.cwd()))
    if action == "status":
        states = found.status()
        for state in states:
            click.echo(f"{state.name}: {'' if state.installed else 'not installed: '}{state.how}")
        return 0 if all(state.installed for state in states) else 1
    lines = found.install() if action == "install" else found.uninstall()
    click.echo("\n".join(lines) if lines else "nothing to do")
    return 0
