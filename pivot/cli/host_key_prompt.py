"""Asking the user whether a host key is the right one."""

from __future__ import annotations

import sys

import click

from pivot.errors import ConnectionLost, RemoteError
from pivot.project import Project
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.config import choose_named
from pivot.sync.remote.ssh.settings import read_ssh_settings


def ask_to_trust(project: Project, name: str, fingerprint: str | None, *, strict: bool = False) -> None:
    """Make the host key of a remote known, if the user says so or has named its fingerprint.

    Raises:
        RemoteError: the key has changed, is another than the named one, or was not accepted; with `strict` also that
            the host cannot be reached.
    """
    address = parse_address(choose_named(project.settings, name).url, project.root)
    settings = read_ssh_settings(project.settings, name)
    by_hand = settings.by_hand(address.host, address.user, address.port)
    if not address.host or settings.command:
        if strict:
            why = f"`{by_hand}` asks for its host key" if address.host else "it is a folder, without a host key"
            click.echo(f"{name}: {why}", err=True)
        return
    from pivot.sync.remote.ssh.host_key_probe import see_host_key
    from pivot.sync.remote.ssh.open import uses_program

    try:
        seen = see_host_key(address, settings, program=uses_program(project.settings))
    except ConnectionLost as error:
        if strict:
            raise
        click.echo(f"the host cannot be asked for its key now: {error.what}", err=True)
        return
    if seen is None:
        click.echo(
            f"the host is reached through others: `{by_hand}` asks for all their keys, and for its own", err=True
        )
        return
    key, target = seen
    if key.state == "known":
        if strict:
            click.echo(f"{key.known_as}: its host key is known already ({key.kind} {key.fingerprint})", err=True)
        return
    if key.state == "changed":
        from pivot.sync.remote.ssh.errors import changed_key

        shown = f"it shows {key.kind} {key.fingerprint}"
        raise changed_key(key.known_as, shown, target.known_hosts[0], target.trusted_by)
    if _is_right(key.known_as, f"{key.kind} {key.fingerprint}", fingerprint):
        key.remember(target.known_hosts[0])
        click.echo(f"{key.known_as}: added its host key to {target.known_hosts[0]}", err=True)
    elif strict or fingerprint:
        raise RemoteError(f"the host key of {key.known_as} was not made known", hint="Ask who runs the host.")


def _is_right(host: str, shown: str, fingerprint: str | None) -> bool:
    if fingerprint is not None:
        return shown.endswith(f" {fingerprint}")
    click.echo(f"{host} shows the key {shown}", err=True)
    if not sys.stdin.isatty():
        click.echo("nobody can be asked whether it is the right one: --fingerprint SHA256:... names it", err=True)
        return False
    return click.confirm("Is that its key? Compare it with what the owner of the host told you", err=True)
