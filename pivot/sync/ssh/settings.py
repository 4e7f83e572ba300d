"""What `pivot-remote.<name>.*` says about the way to a host."""

from __future__ import annotations

from msgspec import Struct

from pivot.git.config import Settings

KNOWN_HOSTS = "~/.ssh/known_hosts"


class SshSettings(Struct, frozen=True):
    """A config file and a key instead of the usual ones, a command instead of `ssh`, seconds to wait for an answer."""

    config_file: str = ""
    identity_file: str = ""
    command: str = ""
    timeout: int = 20


def read_ssh_settings(settings: Settings, name: str) -> SshSettings:
    """Raises `SettingError`."""
    return SshSettings(
        config_file=settings.get(f"pivot-remote.{name}.configFile", "") or "",
        identity_file=settings.get(f"pivot-remote.{name}.identityFile", "") or "",
        command=settings.get(f"pivot-remote.{name}.sshCommand", "") or "",
        timeout=settings.get_int(f"pivot-remote.{name}.timeout", 20),
    )
