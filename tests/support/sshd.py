"""A real SSH server on loopback, for one test module: its own keys, its own configuration, this suite's environment."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
HOST = "127.0.0.1"

needs_sshd = pytest.mark.skipif(SSHD is None, reason="needs sshd (Debian: openssh-server)")

# Neither the machine's users nor its SSH settings count: one key lets this very user in, and nothing else does.
_CONFIG = """\
ListenAddress {host}:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
SetEnv {variables}
"""


@dataclass(frozen=True, slots=True)
class SshServer:
    """A server that is up; `key` lets `user` in, `known_hosts` has the server's own key."""

    host: str
    port: int
    user: str
    key: Path
    known_hosts: Path

    def url(self, path: Path) -> str:
        """The address of a repository or a folder."""
        return f"ssh://{self.user}@{self.host}:{self.port}{path}"

    def command(self) -> str:
        """For GIT_SSH_COMMAND: the `ssh` program with this server's key, and without the machine's settings."""
        options = {"IdentityFile": self.key, "UserKnownHostsFile": self.known_hosts, "IdentitiesOnly": "yes"}
        return shlex.join(["ssh", "-F", "none", *(f"-o{name}={value}" for name, value in options.items())])


@contextmanager
def run_sshd(folder: Path) -> Iterator[SshServer]:
    """Start a server whose files stand in `folder`; sessions have the environment of this process, home included."""
    assert SSHD is not None
    for name in ("host", "client"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it insists on this folder
    port = _free_port()
    config = folder / "sshd_config"
    config.write_text(_CONFIG.format(host=HOST, port=port, folder=folder, variables=_variables()))
    public = (folder / "host.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[{HOST}]:{port} {public[0]} {public[1]}\n")
    log = folder / "log"
    with log.open("wb") as said:
        # In the foreground, so that it ends with us; -e: what it has to say goes to the log and not to syslog.
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=said)
        try:
            _wait_until_up(process, port, log)
            yield SshServer(HOST, port, getpass.getuser(), folder / "client", folder / "known_hosts")
        finally:
            process.terminate()
            process.wait()


def _variables() -> str:
    """What the seal has set, quoted as sshd reads it."""
    names = [name for name in os.environ if name.startswith(("GIT_", "XDG_", "LC_"))]
    return " ".join(f'"{name}={os.environ[name]}"' for name in [*names, "HOME", "PATH", "TMPDIR", "TZ"])


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"sshd did not come up:\n{log.read_text()}")
