"""`git pivot hooks install`, `uninstall` and `status`."""

from __future__ import annotations

import getpass
import tempfile
from pathlib import Path

import click

from pivot.errors import SettingError
from pivot.git.plumbing.config import add_setting, read_settings
from pivot.git.plumbing.locate import RepositoryLocation, locate
from pivot.hooks.install import Hooks
from pivot.operations.sandbox import Sandbox, empty_room, probe, read_sandbox

HIDDEN = "refs/pivot-ci"
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


def _say_what_is_set(location: RepositoryLocation) -> None:
    """Installed alone they guard Pivot's refs and do nothing else: the rest is for the owner of the server to say."""
    settings = read_settings(location)
    # Clients do not see what the server keeps for itself, so that a push of everything does not try to delete it.
    if HIDDEN not in settings.get_all("transfer.hideRefs"):
        add_setting(location, "transfer.hideRefs", HIDDEN)
    if settings.get("pivot.ci", "off") == "off":
        click.echo("pivot.ci is not set, so no commit is checked: git config pivot.ci verify, or run", err=True)
    sandbox = read_sandbox(settings)
    if not sandbox:
        who = getpass.getuser()
        click.echo(
            f"with pivot.ci = run, pushed code runs as this account ({who}); `git config pivot.ciSandbox bwrap` "
            "keeps it apart",
            err=True,
        )
    elif reason := _try(sandbox):
        raise SettingError(reason, hint="Until it works, pushes are refused or their code is not run.")
    else:
        click.echo(f"pushed code runs in a sandbox: {sandbox.kind} works here", err=True)


def _try(sandbox: Sandbox) -> str:
    with tempfile.TemporaryDirectory(prefix="git-pivot-probe-") as temp:
        return probe(sandbox, empty_room(Path(temp)))
