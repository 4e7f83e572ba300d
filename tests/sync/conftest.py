"""Clones of one bare repository, as people have them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from pivot.git.odb.backend import Backend
from pivot.git.odb.open import open_backend
from pivot.git.plumbing.locate import locate
from pivot.state.record_closure import Name
from pivot.state.records import Record
from pivot.state.ref_sync import State
from pivot.state.run_cache import RunCache
from tests.support.backends import AUTHOR
from tests.support.repository import Repo
from tests.support.samples import finished, record
from tests.support.slow import slow_unless
from tests.sync import sshd
from tests.sync.hosts import Clones, Host, make_keys
from tests.sync.ssh_server import SshServer


class Clone:
    """A clone, with its run cache and what moves it."""

    def __init__(self, repo: Repo) -> None:
        found = locate(repo.path)
        self.repo = repo
        self.backend: Backend = open_backend(found.git_dir, found.common_dir)
        self.runs = RunCache(self.backend)
        self.used: set[Name] = set()
        self.state = State(found, self.backend, AUTHOR, lambda names: names & self.used)

    def run(self, number: int, result: str = "a", second: int = 0, modules: tuple[str, ...] = ()) -> None:
        """A stage has run here."""
        self.runs.flush([finished(number, result, second, modules)], f"repro: stage{number}", AUTHOR)

    def use(self, number: int, result: str = "a") -> None:
        """Something here stands on this result."""
        self.used.add(name_of(record(number, result)))

    def names(self) -> set[Name]:
        """The records of the local run cache."""
        self.runs.refresh()
        return set(self.runs.fingerprints(fetched=False))

    def clean_up(self) -> set[Name]:
        """Remove every record that is not in use here."""
        dead = self.names() - self.used
        self.runs.drop(dead, "gc", AUTHOR)
        return dead

    def beside(self) -> set[str]:
        """The sources and reach lists of the local run cache, by path."""
        if not self.tree():
            return set()
        listed = self.repo.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").splitlines()
        return {path for path in listed if path.startswith(("code/", "reach/"))}

    def knows(self, record: Record) -> bool:
        self.runs.refresh()
        return any(found.result == record.result for found in self.runs.lookup(record.fingerprint))

    def tree(self) -> str | None:
        """The tree of the local run cache."""
        return self.backend.tree_of("refs/pivot/runs") if self.backend.ref_get("refs/pivot/runs") else None


def name_of(record: Record) -> Name:
    return record.fingerprint, record.result


def beside(record: Record) -> set[str]:
    """What a record needs beside itself: the source of its one entry, and its reach list."""
    source, static = record.code["nodes"][0], record.static_fingerprint
    return {f"code/{source[:2]}/{source}", f"reach/{static[:2]}/{static}"}


@pytest.fixture
def server(tmp_path: Path) -> Repo:
    """A bare repository with one commit."""
    first = Repo.init(tmp_path / "first")
    first.write("readme", "x\n")
    first.commit("first")
    return first.clone(tmp_path / "server.git", "--bare")


@pytest.fixture
def clone(server: Repo, tmp_path: Path) -> Callable[..., Clone]:
    """Make a clone of the server with options of `git clone`; through the transport, since a path would copy."""

    def make(name: str, *options: str) -> Clone:
        server.git("clone", "--quiet", *options, f"file://{server.path}", str(tmp_path / name))
        return Clone(Repo(tmp_path / name))

    return make


WAYS = ["directory", "server in this process", "sshd by ssh"]  # the last pair, sshd by paramiko, where it matters


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture(params=slow_unless(WAYS, lambda way: not way.startswith("sshd")))
def host(request: pytest.FixtureRequest, tmp_path: Path, keys: Path) -> Iterator[Host]:
    """A host of each kind, with no store on it yet."""
    host = make_host(request.param, tmp_path, keys)
    yield host
    if host.server:
        host.server.kill()


def make_host(kind: str, tmp_path: Path, keys: Path) -> Host:
    """A host that can be reached by the key `user`."""
    store = tmp_path / "host/lab store.git"
    client = tmp_path / "client"
    shutil.copytree(keys, client)
    if kind == "directory":
        return Host(store, "shell", client)
    if kind == "server in this process":
        host_key, user_key = (paramiko.PKey.from_path(keys / name) for name in ("host", "user"))
        host = Host(store, "paramiko", client, SshServer(tmp_path, host_key, user_key))
    elif not sshd.is_there():
        pytest.skip("there is no OpenSSH server here")
    else:
        server = sshd.Sshd(tmp_path, keys / "host", keys / "user.pub")
        host = Host(store, "program" if kind == "sshd by ssh" else "paramiko", client, server)
    assert host.server
    host.server.start()
    host.configure()
    return host


@pytest.fixture
def clones(tmp_path: Path) -> Clones:
    return Clones(tmp_path)
