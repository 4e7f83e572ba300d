"""SSH through the user's own `ssh` program: one connection, which the later commands share."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile

from pivot.errors import ConnectionLost, RemoteError, SettingError
from pivot.git.plumbing.command import clean_environment
from pivot.sync.remote.address import Address
from pivot.sync.remote.channel import Channel, ProcessChannel
from pivot.sync.remote.ssh.errors import changed_key, unknown_key
from pivot.sync.remote.ssh.settings import KNOWN_HOSTS, SshSettings

_LOST = 255  # what `ssh` ends with when it, and not the command, has failed
_CHANGED = "IDENTIFICATION HAS CHANGED"
_LONGEST = 70  # characters of the folder of a socket, whose whole name may have about a hundred


class ProgramConnection:
    """The first command opens the connection and holds it; the others go through its socket.

    A command of the user's own is trusted with all that `ssh` decides; what is not called `ssh` gets no options, and
    makes a connection for each command.
    """

    def __init__(self, address: Address, settings: SshSettings, *, may_ask: bool = False) -> None:
        self._address = address
        self._where = f"{address.user}@{address.host}" if address.user else address.host
        self._settings = settings
        self._command = settings.command
        self._may_ask = may_ask
        self._open: list[ProcessChannel] = []
        folder = tempfile.gettempdir()
        self._folder = tempfile.mkdtemp(prefix="pivot-ssh-", dir=folder if len(folder) <= _LONGEST else "/tmp")

    def start(self, command: str) -> Channel:
        channel = ProcessChannel(self._arguments(command), clean_environment(os.environ), self._explain)
        self._open = [one for one in self._open if not one.is_closed]
        self._open.append(channel)
        return channel

    def close(self) -> None:
        for channel in reversed(self._open):
            channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _arguments(self, command: str) -> list[str]:
        address = self._address
        port = ["-p", str(address.port)] if address.port else []
        if not self._command:
            return ["ssh", *self._options(), *port, "--", self._where, command]
        name = os.path.basename((shlex.split(self._command) or [""])[0])
        options = self._options() if name == "ssh" else []
        return ["sh", "-c", f'{self._command} "$@"', "ssh", *options, *port, self._where, command]

    def _options(self) -> list[str]:
        settings = self._settings
        pairs = {
            "BatchMode": "no" if self._may_ask else "yes",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": str(settings.timeout),
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "4",
            "ClearAllForwardings": "yes",
            "RemoteCommand": "none",
            "ControlMaster": "auto",
            "ControlPersist": "no",
            "ControlPath": f"{self._folder}/s",
        }
        files = ["-F", os.path.expanduser(settings.config_file)] if settings.config_file else []
        if settings.identity_file:
            files += ["-i", os.path.expanduser(settings.identity_file), "-o", "IdentitiesOnly=yes"]
        return ["-T", "-a", *files, *(word for key in pairs for word in ("-o", f"{key}={pairs[key]}"))]

    def _explain(self, code: int, told: str) -> RemoteError | None:
        """What became of the connection, where it is the connection that failed."""
        if code != _LOST:
            return None
        host = self._address.host
        if _CHANGED in told or "Host key verification failed" in told:
            return self._refuse_stranger(told)
        if "Permission denied" in told:
            return RemoteError(
                f"{host} does not let you in: {_last(told)}",
                hint=f"Try `ssh {host}`; add your key to ~/.ssh/authorized_keys there.",
            )
        if "Could not resolve hostname" in told:
            return RemoteError(f"the host {host} is not known: {_last(told)}", hint="git pivot remote list")
        return ConnectionLost(f"the connection to {host} broke: {_last(told) or 'without a word'}")

    def _refuse_stranger(self, told: str) -> RemoteError:
        """`ssh` names whose key it was, but for a host on the way: another `ssh`, which is told nothing, sees that."""
        host = _find(r"(?:key is known for|^Host key for) (\S+) ", told)
        if _CHANGED in told:
            file = _find(r"^Offending .* in (.+):\d+", told) or KNOWN_HOSTS
            return changed_key(host or self._address.host, "", file, self._trusted_by(host))
        return unknown_key(host or f"a host on the way to {self._address.host}", "", self._trusted_by(host))

    def _trusted_by(self, host: str) -> str:
        """The command that makes the key of a host known."""
        address, settings = self._address, self._settings
        if not host or self._command:
            return settings.by_hand(address.host, address.user, address.port)
        from pivot.sync.remote.ssh.target import find_target

        try:
            target = find_target(address, settings)
        except SettingError:  # which `ssh` has read in its own way
            return settings.trusted_by
        return next((one.trusted_by for one in target.jumps if one.known_as == host), target.trusted_by)


def _find(pattern: str, told: str) -> str:
    found = re.search(pattern, told, re.MULTILINE)
    return found[1] if found else ""


def _last(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return lines[-1] if lines else ""
