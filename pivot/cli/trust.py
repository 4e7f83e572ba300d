"""`git pivot trust`: let addresses of `.pivotconfig` count in this clone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pivot.errors import CheckFailed
from pivot.git.plumbing.config import SHARED_FILE, trust_address
from pivot.project import Project


@click.command()
@click.option("-y", "--yes", "--trust", "agreed", is_flag=True, help="Agree without being asked, for CI.")
def trust(agreed: bool) -> int:
    """Show the addresses in .pivotconfig, and ask whether this clone may use them.

    An address says where outputs are kept or sent: `pivot.store`, `pivot.remote` and the URLs of remotes. A value that
    changes is asked about again. A path of `pivot.store` must be in the Git directory.
    """
    with Project.open(Path.cwd()) as project:
        if not project.settings.unconfirmed:
            click.echo(f"nothing to allow: this clone uses all addresses in {SHARED_FILE}")
            return 0
        if not confirm_addresses(project, agreed=agreed):
            raise CheckFailed(
                f"this clone does not use these addresses in {SHARED_FILE}",
                hint="Run `git pivot trust --yes` to allow them without a question.",
            )
    return 0


def confirm_addresses(project: Project, *, agreed: bool) -> bool:
    """Show the addresses that this clone has not agreed to and ask, unless it is `agreed`; whether they count now."""
    settings = project.settings
    usable = [one for one in settings.unconfirmed if one.usable]
    for one in settings.unconfirmed:
        click.echo(f"{SHARED_FILE}: {one}", err=True)
        if not one.usable:
            click.echo(f"  This path is outside the Git directory: `git config {one.key} PATH` allows it.", err=True)
    if not usable:
        return False
    if not agreed and sys.stdin.isatty():
        agreed = _ask("Pivot keeps or sends outputs there. Use it in this clone?")
    if not agreed:
        return False
    for one in usable:
        trust_address(project.location, settings, one.key, one.value)
    click.echo(f"this clone uses {'it' if len(usable) == 1 else 'them'} from now on", err=True)
    return len(usable) == len(settings.unconfirmed)


def _ask(question: str) -> bool:
    """The end of the input is no answer, and so a no; Ctrl-C ends the command."""
    try:
        return click.confirm(question, err=True)
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):  # click raises the same for both
            click.echo(err=True)
            return False
        raise
