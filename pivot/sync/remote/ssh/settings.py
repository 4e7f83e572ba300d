"""What `pivot-remote.<name>.*` says about the way to a host."""

from __future__ import annotations

import os
import pwd
import shlex

from msgspec import Struct

from pivot.git.plumbing.config import Settings

KNOWN_HOSTS = "~/.ssh/known_hosts"


class SshSettings(Struct, frozen=True):
    """Of which remote; a config file and a key instead of the usual ones, a command instead of `ssh`.

    `timeout` is in seconds.
    """

    remote: str
    config_file: str = ""
    identity_file: str = ""
    command: str = ""
    timeout: int = 20

    @property
    def trusted_by(self) -> str:
        """The command that makes the host's key known."""
        return f"git pivot remote trust {shlex.quote(self.remote)}"

    def by_hand(self, host: str, user: str, port: int | None) -> str:
        """The command that asks whether keys are the right ones, those of hosts on the way too."""
        file = ["-F", os.path.expanduser(self.config_file)] if self.config_file else []
        where = [*(["-p", str(port)] if port else []), f"{user}@{host}" if user else host]
        return f"{self.command} {shlex.join(where)}" if self.command else shlex.join(["ssh", *file, *where])


def own_home() -> str:
    """The home of the passwd entry, as `ssh` and `ssh-keygen` see it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")


def read_ssh_settings(settings: Settings, name: str) -> SshSettings:
    """Raises `SettingError`."""
    return SshSettings(
        name,
        config_file=settings.get(f"pivot-remote.{name}.configFile", "") or "",
        identity_file=settings.get(f"pivot-remote.{name}.identityFile", "") or "",
        command=settings.get(f"pivot-remote.{name}.sshCommand", "") or "",
        timeout=settings.get_int(f"pivot-remote.{name}.timeout", 20),
    )
