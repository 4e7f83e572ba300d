"""An OpenSSH server of our own on loopback: own keys, a port that is no usual one, one cipher for everybody."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

CIPHER = "aes128-gcm@openssh.com"
_SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {client}/host
AuthorizedKeysFile {client}/user.pub
PidFile none
PasswordAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
SetEnv SHLVL=1
Subsystem sftp internal-sftp
"""
_CLIENT = """\
Host lab
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {client}/user
  IdentitiesOnly yes
  UserKnownHostsFile {client}/known_hosts
  Ciphers {cipher}
"""


def make_keys(folder: Path) -> None:
    folder.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)


class SshHost:
    """`sshd`, and the configuration with which `client` reaches it as `lab`."""

    def __init__(self, folder: Path, client: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as found:
            self._port = int(found.getsockname()[1])
        self._config = folder / "sshd_config"
        self._config.write_text(_SERVER.format(port=self._port, client=client))
        known = (client / "host.pub").read_text()
        (client / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {known}")
        told = {"port": self._port, "user": getpass.getuser(), "client": client, "cipher": CIPHER}
        (client / "config").write_text(_CLIENT.format(**told))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        self._process = subprocess.Popen([program, "-D", "-e", "-f", str(self._config)], stderr=subprocess.DEVNULL)
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.01)
        raise RuntimeError("sshd does not listen")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
