"""The real OpenSSH server on loopback, with keys and a configuration of its own."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
AuthorizedKeysFile {authorized}
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
MaxStartups 100
SetEnv SHLVL=1
{forced}
"""


def is_there() -> bool:
    return os.access(SSHD, os.X_OK) and shutil.which("ssh") is not None


class Sshd:
    """A server in `folder`, on a port that is no usual one."""

    def __init__(self, folder: Path, host_key: Path, authorized: Path) -> None:
        self.folder = folder
        self._keys = (host_key, authorized)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.prefix: list[str] = []

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it goes without privileges
        config = self.folder / "sshd_config"
        host_key, authorized = self._keys
        forced = f'ForceCommand {shlex.join(self.prefix)} sh -c "$SSH_ORIGINAL_COMMAND"' if self.prefix else ""
        config.write_text(_CONFIG.format(port=self.port, host_key=host_key, authorized=authorized, forced=forced))
        self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.01)
        raise AssertionError("sshd does not listen")

    def restart(self, *prefix: str) -> None:
        """Run everything under another command from now on."""
        self.kill()
        self.prefix = list(prefix)
        self.start()

    def kill(self) -> None:
        """Everything ends at once: the server, its sessions, and what they run."""
        if self._process is None:
            return
        for pid in [*_descendants(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def _descendants(top: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        pid, parent = map(int, line.split())
        children.setdefault(parent, []).append(pid)
    found, waiting = [], [top]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
