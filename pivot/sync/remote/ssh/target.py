"""Where an SSH connection goes and with which keys: the address, this repository's settings, `~/.ssh/config`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import paramiko
from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import SettingError
from pivot.sync.remote.address import Address
from pivot.sync.remote.ssh.settings import KNOWN_HOSTS, SshSettings, own_home

DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
CONFIG = "~/.ssh/config"
_SYSTEM_CONFIG = "/etc/ssh/ssh_config"


class SshTarget(Struct, frozen=True):
    """One host to connect to; `jumps` are hosts on the way.

    `known_as` is the name that its key stands under; `trusted_by` is the command that makes its key known.
    """

    host: str
    port: int
    user: str
    known_as: str
    known_hosts: tuple[str, ...]
    identity_files: tuple[str, ...]
    only_identities: bool
    proxy_command: str
    jumps: tuple[SshTarget, ...]
    trusted_by: str


def find_target(address: Address, settings: SshSettings) -> SshTarget:
    """Read the configuration for an address.

    Raises:
        SettingError: a configuration file means nothing.
    """
    target = _look_up(_read_config(settings), settings, address.host, address.user, address.port)
    if not target.jumps:
        target = replace(target, trusted_by=settings.trusted_by)
    if settings.identity_file:
        own = (os.path.expanduser(settings.identity_file),)
        target = replace(target, identity_files=own, only_identities=True)
    return target


def as_program_reads(target: SshTarget, address: Address, settings: SshSettings) -> SshTarget:
    """The target with the `known_hosts` files of the `ssh` program, those that it writes first.

    `ssh` takes `~` from the passwd entry and not from $HOME, and understands more of the configuration than we do.
    """
    port = ["-p", str(address.port)] if address.port else []
    config = ["-F", os.path.expanduser(settings.config_file)] if settings.config_file else []
    where = f"{address.user}@{address.host}" if address.user else address.host
    try:
        command = ["ssh", "-G", *config, *port, "--", where]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=settings.timeout, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return target
    told = dict(line.split(" ", 1) for line in os.fsdecode(done.stdout).splitlines() if " " in line)
    listed = f"{told.get('userknownhostsfile', '')} {told.get('globalknownhostsfile', '')}".split()
    files = tuple(file.replace("~", own_home(), 1) if file.startswith("~/") else file for file in listed)
    return replace(target, known_hosts=files) if files else target


def _look_up(config: paramiko.SSHConfig, settings: SshSettings, name: str, user: str, port: int | None) -> SshTarget:
    found = config.lookup(name)
    host = found.get("hostname", name)
    number = port or int(found.get("port", 22))
    alias = found.get("hostkeyalias", "")
    files = found.get("userknownhostsfile", KNOWN_HOSTS).split()
    identities = found.get("identityfile") or [f"~/.ssh/{key}" for key in DEFAULT_KEYS]
    command, jump = found.get("proxycommand", ""), found.get("proxyjump", "")
    return SshTarget(
        host=host,
        port=number,
        user=user or found.get("user") or _own_name(),
        known_as=alias or (host if number == 22 else f"[{host}]:{number}"),
        known_hosts=tuple(os.path.expanduser(file) for file in files),
        identity_files=tuple(os.path.expanduser(file) for file in identities),
        only_identities=found.get("identitiesonly", "no") == "yes",
        proxy_command="" if command == "none" else command,
        jumps=() if jump in ("", "none") else tuple(_jump(config, settings, hop) for hop in jump.split(",")),
        trusted_by=settings.by_hand(name, user, port),
    )


def _jump(config: paramiko.SSHConfig, settings: SshSettings, hop: str) -> SshTarget:
    """`[user@]host[:port]`, whose own ProxyJump does not count."""
    user, _, place = hop.strip().rpartition("@")
    host, _, port = place.removeprefix("ssh://").partition(":")
    return replace(_look_up(config, settings, host, user, int(port) if port.isdecimal() else None), jumps=())


def _read_config(settings: SshSettings) -> paramiko.SSHConfig:
    config = paramiko.SSHConfig()
    files = [settings.config_file] if settings.config_file else [CONFIG, _SYSTEM_CONFIG]
    for file in map(Path, map(os.path.expanduser, files)):
        if not file.is_file():
            continue
        try:
            with file.open(encoding="utf-8", errors="surrogateescape") as opened:
                config.parse(opened)
        except paramiko.ConfigParseError as error:
            raise SettingError(f"this SSH configuration cannot be read: {error}", where=str(file)) from error
    return config


def _own_name() -> str:
    import getpass

    return getpass.getuser()
