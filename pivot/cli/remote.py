"""`git pivot remote add`, `list`, `remove` and `check`: where outputs are shared."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.cli.host_key_prompt import ask_to_trust
from pivot.project import Project
from pivot.sync.open import open_remote
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.config import add_remote, choose_named, named_remotes, remove_remote


@click.group()
def remote() -> None:
    """Say where outputs are shared: a store on any machine with SSH and Git, or in a folder.

    A URL is `ssh://[user@]host[:port]/path`, `host:path` (from your home there), or the path of a folder. The first
    push makes the store. One of several remotes is the default (`pivot.remote`).
    """


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option("--default", "default", is_flag=True, help="Use it where no remote is named.")
@click.option("--shared", is_flag=True, help="Write it into .pivotconfig, for everybody who uses this repository.")
@click.option("--fingerprint", metavar="SHA256:...", help="The host key that is right, where nobody can be asked.")
def add(name: str, url: str, default: bool, shared: bool, fingerprint: str | None) -> int:
    """Add a remote NAME at URL. For a host that is not known yet, shows the fingerprint of its key, and asks."""
    with Project.open(Path.cwd()) as project:
        parse_address(url, project.root)
        add_remote(project, name, url, default=default, scope="shared" if shared else "local")
    with Project.open(Path.cwd()) as project:
        ask_to_trust(project, name, fingerprint)
    click.echo(f"{name}: {url}; `git pivot remote check {name}` tries it, `git pivot push` fills it")
    return 0


@remote.command()
@click.argument("name", required=False)
@click.option("--fingerprint", metavar="SHA256:...", help="The host key that is right, where nobody can be asked.")
def trust(name: str | None, fingerprint: str | None) -> int:
    """Show the fingerprint of a remote's host key, and ask whether it is the right one."""
    with Project.open(Path.cwd()) as project:
        ask_to_trust(project, choose_named(project.settings, name).name, fingerprint, strict=True)
    return 0


@remote.command(name="list")
def list_() -> int:
    """List the remotes with their URLs."""
    with Project.open(Path.cwd()) as project:
        for one in named_remotes(project.settings):
            click.echo(f"{one.name}\t{one.url}{' (default)' if one.is_default else ''}")
        if notice := project.settings.unconfirmed_notice():
            click.echo(notice, err=True)
    return 0


@remote.command()
@click.argument("name")
def remove(name: str) -> int:
    """Forget a remote; what it holds stays there."""
    with Project.open(Path.cwd()) as project:
        remove_remote(project.location, project.settings, name)
    click.echo(f"{name} is forgotten; its store stays where it is")
    return 0


@remote.command()
@click.argument("name", required=False)
def check(name: str | None) -> int:
    """Connect to a remote, write, read and delete a probe, and say what is wrong and how to mend it."""
    with Project.open(Path.cwd()) as project:
        chosen = choose_named(project.settings, name)
        found = open_remote(project, chosen.name)
        try:
            told = found.check()
        finally:
            found.close()
    click.echo(f"{chosen.name}: {chosen.url}: it can be reached, read and written ({told})")
    return 0
