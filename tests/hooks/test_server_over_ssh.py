"""Pushes over SSH to a bare repository on loopback, whose hooks check or run what comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks.support import change_process
from tests.hooks.test_server import change_data, said_by
from tests.support.repository import Repo
from tests.support.sshd import SshServer, needs_sshd

pytestmark = needs_sshd


@pytest.fixture
def server(branches: Repo, ssh_server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """As for a push to a path; `origin` is reached over SSH."""
    monkeypatch.setenv("GIT_SSH_COMMAND", ssh_server.command())
    made = Repo.init(tmp_path / "server.git", "--bare")
    made.pivot("hooks", "install", "--server").expect(0)
    branches.git("remote", "add", "origin", ssh_server.url(made.path))
    return made


def test_a_stale_stage_is_refused_by_name(branches: Repo, server: Repo) -> None:
    server.git("config", "pivot.ci", "verify")
    server.git("config", "pivot.store", str(branches.path / ".git/pivot/store.git"))
    assert said_by(branches, "origin", "main") == []
    change_data(branches)
    told = said_by(branches, "origin", "other", code=1)
    assert told[0] == f"other ({branches.head()[:8]}): count: it is stale"
    assert server.git("branch", "--list", "--format=%(refname:short)") == "main"


def test_what_the_server_has_run_comes_with_a_fetch(branches: Repo, server: Repo) -> None:
    server.git("config", "pivot.ci", "run")
    branches.pivot("init").expect(0)
    change_process(branches)
    branches.commit("not run here")
    told = said_by(branches, "origin", "other")
    assert any("process: done" in line for line in told), told
    branches.git("fetch", "--quiet", "origin")
    assert "process" in branches.pivot("show", "HEAD").expect(0).out
    note = server.git("notes", "--ref=pivot", "show", "other")
    assert note == branches.git("cat-file", "blob", f"refs/pivot-remotes/origin/notes:{note_path(branches.head())}")


def note_path(commit: str) -> str:
    return f"{commit[:2]}/{commit[2:]}"
