"""The seal around every test, and the fixtures that most of them share."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.examples import DATA, FRONT_PAGE, HELPER
from tests.support.repository import Repo
from tests.support.seal import loopback_only, seal_environment
from tests.support.slow import mark_long_tables
from tests.support.sshd import SshServer, run_sshd

# No deadline: a busy machine would miss it. In CI the same examples each time: a failure there is the change's own.
settings.register_profile("pivot", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("pivot")

FIXED_DATE = "2024-02-29T12:00:00+00:00"


@pytest.hookimpl(tryfirst=True)  # before those that `-m` leaves out are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_long_tables(items)


@pytest.fixture(scope="session", autouse=True)
def _sealed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Seal the process before fixtures of a wider scope than one test can reach Git."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        seal_environment(monkeypatch, tmp_path_factory.mktemp("home"), _ceiling(tmp_path_factory))
        monkeypatch.setattr(socket.socket, "connect", loopback_only(socket.socket.connect))
        monkeypatch.setattr(socket.socket, "connect_ex", loopback_only(socket.socket.connect_ex))
        yield


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """An own home and an own current folder for each test."""
    seal_environment(monkeypatch, tmp_path_factory.mktemp("home"), _ceiling(tmp_path_factory))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def fixed_dates(monkeypatch: pytest.MonkeyPatch) -> str:
    """Every commit that Git makes in this test has the same date."""
    monkeypatch.setenv("GIT_AUTHOR_DATE", FIXED_DATE)
    monkeypatch.setenv("GIT_COMMITTER_DATE", FIXED_DATE)
    return FIXED_DATE


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository, on branch `main`, without a commit."""
    return Repo.init(tmp_path / "project")


@pytest.fixture
def front_page(repo: Repo) -> Repo:
    """The front page's example, both files committed, nothing run yet."""
    repo.write("data.json", DATA)
    repo.write("pipeline.py", FRONT_PAGE)
    repo.commit("the example")
    return repo


@pytest.fixture
def helper_page(repo: Repo) -> Repo:
    """The front page's second example: a helper next to the stage that calls it."""
    repo.write("data.json", DATA)
    repo.write("pipeline.py", HELPER)
    repo.commit("the example")
    return repo


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory, _sealed_session: None) -> Iterator[SshServer]:
    """A real SSH server on loopback; a test that uses it is marked with `needs_sshd`."""
    with run_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def _ceiling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp().resolve()
