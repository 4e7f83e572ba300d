"""From the name of a remote to the remote: a store in a folder, or on an SSH host."""

from __future__ import annotations

from pivot.project import Project
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.channel import LocalShell
from pivot.sync.remote.config import choose_named
from pivot.sync.remote.known_stores import KnownStores
from pivot.sync.remote.remote import Remote
from pivot.sync.remote.shell_remote import HostRemote


def open_remote(project: Project, name: str | None = None) -> Remote:
    """The remote of this name (default: the default one); nothing is connected yet.

    Raises:
        TargetError: there is none, or nothing says which.
        SettingError: its settings mean nothing.
    """
    chosen = choose_named(project.settings, name)
    address = parse_address(chosen.url, project.root)
    met = KnownStores(project.location.common_dir, chosen.url)
    if not address.host:
        return HostRemote(chosen.name, chosen.url, address.path, LocalShell, met=met)
    from pivot.sync.remote.ssh.open import connector  # paramiko costs as much as the rest of the command

    connect = connector(project.settings, chosen.name, address)
    return HostRemote(chosen.name, chosen.url, address.path, connect, met=met)
