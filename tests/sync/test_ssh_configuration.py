"""What a user has set for `ssh` counts on both ways to a host: through the `ssh` program and with paramiko."""

from __future__ import annotations

import getpass
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)

from pivot.errors import ConnectionLost, RemoteError
from pivot.git.plumbing.config import ConfigValue, Settings, canonical_key
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.shell_remote import HostRemote
from pivot.sync.remote.ssh.open import connector
from tests.support.repository import Repo
from tests.support.terminal import Terminal
from tests.sync import sshd

pytestmark = pytest.mark.skipif(not sshd.is_there(), reason="there is no OpenSSH server here")
PASSPHRASE = "sesame"


@pytest.fixture(scope="module")
def server(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user", "stranger"):
        shutil.copy(keys / name, folder)
    locked = ed25519.Ed25519PrivateKey.generate()
    secret = BestAvailableEncryption(PASSPHRASE.encode())
    (folder / "locked").write_bytes(locked.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, secret))
    (folder / "locked").chmod(0o600)
    public = locked.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b"\n"
    (folder / "authorized").write_bytes((keys / "user.pub").read_bytes() + public)
    (folder / "host.pub").write_bytes((keys / "host.pub").read_bytes())
    running = sshd.Sshd(folder, folder / "host", folder / "authorized")
    running.start()
    yield running
    running.kill()


class Client:
    """A user's configuration of `ssh`, one file for each test."""

    def __init__(self, server: sshd.Sshd, way: str, folder: Path) -> None:
        self.way = way
        self.folder = folder
        self.config = folder / "config"
        self.known = folder / "known"
        self._server = server
        self._keys = server.folder
        self.known.write_text(f"[127.0.0.1]:{server.port} {(self._keys / 'host.pub').read_text()}")

    def configure(self, *lines: str, key: str = "user", gate_key: str = "user") -> None:
        """What is said about the host `lab`; `gate` is the same host, to go through."""
        shared = (
            f"Host gate\n IdentityFile {self._keys / gate_key}\nHost lab\n IdentityFile {self._keys / key}\nHost *\n"
            f" HostName 127.0.0.1\n Port {self._server.port}\n User {getpass.getuser()}\n IdentitiesOnly yes\n"
            f" UserKnownHostsFile {self.known}\n GlobalKnownHostsFile /dev/null\n"
        )
        self.config.write_text("".join(["Host lab\n", *(f" {line}\n" for line in lines), shared]))

    def remote(self, **settings: str) -> HostRemote:
        given = {"pivot.ssh": self.way, "pivot-remote.lab.configFile": str(self.config)}
        given |= {f"pivot-remote.lab.{key}": text for key, text in settings.items()}
        held = Settings({canonical_key(key): [ConfigValue(text, "here")] for key, text in given.items()})
        url = f"lab:{self.folder}/store"
        remote = HostRemote("lab", url, f"{self.folder}/store", connector(held, "lab", parse_address(url, self.folder)))
        remote.pause = 0.001
        return remote

    def reaches(self, **settings: str) -> bool:
        """Whether a probe can be written and read there; raises what `git pivot remote check` would say."""
        remote = self.remote(**settings)
        try:
            return "git version" in remote.check()
        finally:
            remote.close()

    def repo(self) -> Repo:
        """A repository with the remote `lab`, whose configuration is this one."""
        repo = Repo.init(self.folder / "repo")
        repo.git("config", "pivot.ssh", self.way)
        repo.git("config", "pivot-remote.lab.configFile", str(self.config))
        return repo


@pytest.fixture(params=["program", "paramiko"])
def client(request: pytest.FixtureRequest, server: sshd.Sshd, tmp_path: Path) -> Client:
    made = Client(server, request.param, tmp_path)
    made.configure()
    return made


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(repo: Repo, *args: str) -> Terminal:
        opened.append(Terminal(repo, *args))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_jump_host_is_gone_through(client: Client) -> None:
    client.configure("ProxyJump gate")
    assert client.reaches()


def test_a_jump_host_that_lets_nobody_in_ends_it(client: Client) -> None:
    client.configure("ProxyJump gate", gate_key="stranger")
    with pytest.raises(RemoteError, match=r"does not let|broke"):
        client.reaches()


def test_a_proxy_command_is_started(client: Client) -> None:
    mark = client.folder / "started"
    client.configure(f'ProxyCommand sh -c "touch {mark}; exec ssh -F {client.config} -W %h:%p gate"')
    assert client.reaches() and mark.exists()


def test_a_host_key_stands_under_its_alias(client: Client) -> None:
    client.known.write_text(client.known.read_text().replace(client.known.read_text().split()[0], "labkey"))
    client.configure("HostKeyAlias labkey")
    assert client.reaches()


def test_one_of_several_files_of_known_hosts_is_enough(client: Client) -> None:
    client.configure(f"UserKnownHostsFile {client.folder}/none {client.known}")
    assert client.reaches()


def test_a_key_of_the_agent_opens(client: Client, server: sshd.Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    client.configure("IdentitiesOnly no", key="none")
    with pytest.raises(RemoteError, match="does not let"):
        client.reaches()
    address = client.folder / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(address)], stdout=subprocess.DEVNULL)
    try:
        while not address.exists():
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(address))
        subprocess.run(["ssh-add", "-q", str(server.folder / "user")], check=True)
        assert client.reaches()
    finally:
        agent.kill()
        agent.wait()


def test_a_passphrase_is_asked_for_on_a_terminal(client: Client, terminal: Callable[..., Terminal]) -> None:
    client.configure(key="locked")
    with pytest.raises(RemoteError, match="does not let"):
        client.reaches()  # nobody can be asked
    repo = client.repo()
    repo.git("config", "pivot-remote.lab.url", f"lab:{client.folder}/store")
    shown = terminal(repo, "remote", "check")
    shown.wait_for("assphrase")
    shown.type(f"{PASSPHRASE}\n")
    assert shown.wait() == 0 and "it can be reached" in shown.text and PASSPHRASE not in shown.text


@pytest.mark.parametrize("answer", ["y", "n"])
def test_adding_a_remote_shows_the_fingerprint_and_asks(
    client: Client, server: sshd.Sshd, terminal: Callable[..., Terminal], answer: str
) -> None:
    client.known.write_text("")
    key = subprocess.run(["ssh-keygen", "-lf", server.folder / "host.pub"], capture_output=True, text=True, check=True)
    repo = client.repo()
    shown = terminal(repo, "remote", "add", "lab", f"lab:{client.folder}/store")
    shown.wait_for("Is that its key?")
    assert key.stdout.split()[1] in shown.text
    shown.type(f"{answer}\n")
    assert shown.wait() == 0
    assert repo.pivot("remote", "check").code == (0 if answer == "y" else 2)


@pytest.mark.parametrize("name", ["ssh", "tunnel"])
def test_a_command_of_the_users_own_is_started_instead(client: Client, name: str) -> None:
    script = client.folder / name
    script.write_text(f'#!/bin/sh\ntouch {client.folder}/started\nexec ssh -F {client.config} "$@"\n')
    script.chmod(0o755)
    assert client.reaches(sshCommand=str(script), configFile="")
    assert (client.folder / "started").exists()


def test_a_host_that_does_not_answer_is_given_up(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client.configure(f"Port {silent.getsockname()[1]}")
        with pytest.raises(ConnectionLost, match="run it again when"):
            client.reaches(timeout="1")


def test_a_connection_that_broke_is_opened_again(client: Client, server: sshd.Sshd) -> None:
    remote = client.remote()
    remote.check()
    server.kill()
    restart = threading.Timer(0.3, server.start)
    restart.start()
    remote.pause = 0.5
    assert "git version" in remote.check()
    restart.join()
    remote.close()


SLOW = """
import os, subprocess, sys, threading, time
there = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
def feed():
    while block := sys.stdin.buffer.raw.read(1 << 16):
        there.stdin.write(block)
        there.stdin.flush()
        time.sleep(0.05 * (len(block) > 1 << 14))
    there.stdin.close()
threading.Thread(target=feed, daemon=True).start()
os._exit(there.wait())
"""
PIPELINE = """
    import random
    from typing import Annotated
    import pivot

    def make() -> Annotated[bytes, pivot.Out("big", pivot.loaders.Bytes())]:
        return random.Random(1).randbytes(8 << 20)

    pipeline = pivot.Pipeline("p")
    pipeline.register(make)
"""


def test_a_push_that_is_stopped_goes_on_where_it_was(
    client: Client, server: sshd.Sshd, terminal: Callable[..., Terminal]
) -> None:
    repo, store = client.repo(), client.folder / "store"
    repo.git("config", "pivot-remote.lab.url", f"lab:{store}")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("a stage")
    repo.pivot("repro").expect(0)
    (client.folder / "slow.py").write_text(SLOW)
    server.restart(sys.executable, str(client.folder / "slow.py"))
    shown = terminal(repo, "push", "lab", "big")
    for _ in range(2000):
        shown.pause(0.05)
        if part_of(store):
            break
    shown.type("\x03")
    assert (shown.wait(), shown.left_running(), shown.is_as_before()) == (130, [], True)
    server.restart()  # and what it ran has ended
    came = part_of(store)
    assert 0 < came < 8 << 20
    said = repo.pivot("push", "lab", "big").expect(0).out
    sent = float(re.findall(r"([0-9.]+) MiB over the line", said)[0])
    assert sent < 8.1 - came / (1 << 20)
    assert repo.pivot("fsck", "--remote", "lab").expect(0)


def part_of(store: Path) -> int:
    """Bytes of the large file that are there already; what is being marked has a shorter name."""
    return sum(path.stat().st_size for path in store.glob(f"tmp/.pivot-tmp-{'?' * 40}-*"))
