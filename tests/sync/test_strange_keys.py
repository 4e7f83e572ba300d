"""A host whose key is strange is refused with the very command that makes it known, on both ways to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from pivot.errors import RemoteError
from pivot.git.plumbing.config import ConfigValue, Settings, canonical_key
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.ssh.open import connector
from tests.support.repository import Repo
from tests.sync.ssh_server import SshServer


class Client:
    """Who knows the remote `my lab` by the name `lab` of its configuration; `gate` is the same host, to go through."""

    def __init__(self, way: str, folder: Path, keys: Path, port: int) -> None:
        self.config = folder / "config"
        self.known = folder / "known"
        self.name = f"[127.0.0.1]:{port}"
        self.way = way
        self._keys = keys
        shared = ("HostName 127.0.0.1", f"Port {port}", f"UserKnownHostsFile {self.known}")
        self._shared = "\n".join([*shared, "GlobalKnownHostsFile /dev/null", ""])

    def knows(self, key: str = "", name: str = "") -> None:
        """The key that the host is known by; none without one."""
        public = (self._keys / f"{key}.pub").read_text() if key else ""
        self.known.write_text(f"{name or self.name} {public}" if key else "")

    def refusal(self, lab: str = "", **settings: str) -> tuple[str, str]:
        """What is wrong with the host, of which the configuration says `lab`, and what to do."""
        self.config.write_text(f"Host lab\n{lab}\nHost *\n{self._shared}")
        given = {"pivot.ssh": self.way, "pivot-remote.my lab.configFile": str(self.config)}
        given |= {f"pivot-remote.my lab.{key}": text for key, text in settings.items()}
        held = Settings({canonical_key(key): [ConfigValue(text, "here")] for key, text in given.items()})
        with pytest.raises(RemoteError) as refused:
            connection = connector(held, "my lab", parse_address("lab:/store", Path("/")))()
            connection.start("true").finish()
        return refused.value.what, str(refused.value.hint)


@pytest.fixture(params=["program", "paramiko"])
def client(request: pytest.FixtureRequest, tmp_path: Path, keys: Path) -> Iterator[Client]:
    if request.param == "program" and not shutil.which("ssh"):
        pytest.skip("there is no ssh here")
    key = paramiko.Ed25519Key.from_private_key_file(str(keys / "host"))
    server = SshServer(tmp_path, key, key)
    server.start()
    yield Client(request.param, tmp_path, keys, server.port)
    server.kill()


def test_a_key_that_is_not_known(client: Client) -> None:
    client.knows()
    what, hint = client.refusal()
    assert what.startswith(f"the host key of {client.name} is not known")
    assert hint == "git pivot remote trust 'my lab' (shows the fingerprint, and asks)"


def test_a_key_that_is_another(client: Client) -> None:
    client.knows("stranger")
    _, hint = client.refusal()
    forget = f"ssh-keygen -R '{client.name}' -f {client.known}"
    assert hint.endswith(f"If the change is meant: `{forget}`, then `git pivot remote trust 'my lab'`.")


def test_a_key_under_an_alias(client: Client) -> None:
    client.knows("stranger", name="labkey")
    what, hint = client.refusal("HostKeyAlias labkey")
    assert what.startswith("the host key of labkey is another") and "ssh-keygen -R labkey" in hint


def test_a_key_of_a_host_on_the_way(client: Client) -> None:
    client.knows()
    what, hint = client.refusal("ProxyJump me@gate")
    way = "me@gate" if client.way == "paramiko" else "lab"  # `ssh` does not say which host on the way it was
    assert ("on the way to lab" in what) == (client.way == "program")
    assert hint.startswith(f"ssh -F {client.config} {way} (")


def test_another_key_of_a_host_on_the_way(client: Client) -> None:
    client.knows("stranger")
    what, hint = client.refusal("ProxyJump me@gate")
    assert what.startswith(f"the host key of {client.name} is another")
    assert hint.endswith(f"then `ssh -F {client.config} me@gate`.")


def test_a_key_that_a_command_of_the_users_own_looks_at(client: Client) -> None:
    client.knows()
    command = f"ssh -o StrictHostKeyChecking=yes -F {client.config}"
    assert client.refusal(sshCommand=command)[1].startswith(f"{command} lab (")


@pytest.mark.parametrize(
    "url, settings, said",
    [
        ("lab:/store", {"sshCommand": "ssh -4"}, "lab: `ssh -4 lab` asks for its host key"),
        ("ssh://me@lab:22/store", {"configFile": "config"}, "`ssh -F config -p 22 me@lab` asks for all their keys"),
        ("../store", {}, "lab: it is a folder, without a host key"),
    ],
)
def test_who_asks_for_a_key_that_cannot_be_shown_here(
    repo: Repo, url: str, settings: dict[str, str], said: str
) -> None:
    repo.write("config", "Host lab\nProxyJump gate\n")
    for key, value in {"url": url, **settings}.items():
        repo.git("config", f"pivot-remote.lab.{key}", value)
    assert said in repo.pivot("remote", "trust").expect(0).err


def test_trust_writes_the_file_that_ssh_reads_and_then_says_that_the_key_is_known(client: Client, repo: Repo) -> None:
    """The `ssh` here has a `known_hosts` of its own, as where $HOME is not the home of the passwd entry."""
    if client.way != "program":
        pytest.skip("only the program reads files that are not ours")
    own, real = repo.path.parent / "bin/ssh", repo.path.parent / "real_known_hosts"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -o UserKnownHostsFile={real} "$@"\n')
    own.chmod(0o755)
    env = {"PATH": f"{own.parent}:{os.environ['PATH']}"}
    port = client.name.rpartition(":")[2]
    repo.git("config", "pivot-remote.lab.url", f"ssh://127.0.0.1:{port}/store")
    shown = repo.pivot("remote", "trust", env=env).expect(2).err
    fingerprint = shown.split(" the key ")[1].split()[1]
    said = repo.pivot("remote", "trust", "--fingerprint", fingerprint, env=env).expect(0).err
    assert f"added its host key to {real}" in said
    assert f"[127.0.0.1]:{port}" in real.read_text()
    assert not (Path.home() / ".ssh/known_hosts").exists()
    assert "its host key is known already" in repo.pivot("remote", "trust", env=env).expect(0).err
    assert "host key" not in repo.pivot("remote", "check", env=env).err
