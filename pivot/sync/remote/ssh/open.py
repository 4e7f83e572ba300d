"""Which way to take to a host: `pivot.ssh` is `auto`, `program` or `paramiko`.

`auto` takes the `ssh` program where there is one: it knows the user's whole configuration, and moves bytes several
times as fast (see `benchmarks/remotes.py`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pivot.git.plumbing.config import Settings
from pivot.sync.remote.address import Address
from pivot.sync.remote.channel import Connection
from pivot.sync.remote.ssh.openssh_connection import ProgramConnection
from pivot.sync.remote.ssh.settings import read_ssh_settings

CHOICES = ("auto", "program", "paramiko")


def connector(settings: Settings, name: str, address: Address) -> Callable[[], Connection]:
    """What opens a connection to a remote's host.

    Raises:
        SettingError: a setting means nothing.
    """
    own = read_ssh_settings(settings, name)
    if own.command or uses_program(settings):
        return lambda: ProgramConnection(address, own, may_ask=_has_terminal())
    # Its import costs as much as all else that a push with nothing to do does.
    from pivot.sync.remote.ssh.paramiko_connection import EmbeddedConnection
    from pivot.sync.remote.ssh.target import find_target

    target = find_target(address, own)
    return lambda: EmbeddedConnection(target, own.timeout, ask_passphrase)


def uses_program(settings: Settings) -> bool:
    """Whether connections go through the `ssh` program. Raises `SettingError`."""
    choice = settings.get_choice("pivot.ssh", CHOICES, "auto")
    return choice == "program" or (choice == "auto" and shutil.which("ssh") is not None)


def ask_passphrase(file: str) -> str | None:
    """Ask on the terminal; None where there is none."""
    import getpass

    return getpass.getpass(f"Passphrase of {file}: ") if _has_terminal() else None


def _has_terminal() -> bool:
    return sys.stdin.isatty() and Path("/dev/tty").exists()
