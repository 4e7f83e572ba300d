"""With Git 2.54 and newer the hooks stand in Git's configuration; no file of anybody's is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pivot.hooks.script import NAMES, SERVER_NAMES
from tests.hooks.support import change_process, git_says
from tests.hooks.test_install import FOREIGN, write_hook
from tests.hooks.test_server import change_data, said_by
from tests.support.gits import needs_newer_git, use_newer_git
from tests.support.repository import Repo

pytestmark = needs_newer_git


@pytest.fixture(autouse=True)
def _newer(monkeypatch: pytest.MonkeyPatch) -> None:
    use_newer_git(monkeypatch)


def hooks_set(repo: Repo) -> set[str]:
    listed = repo.run("git", "config", "--get-regexp", r"^hook\..*\.event$").out.splitlines()
    return {line.split()[1] for line in listed}


def test_they_are_set_beside_any_file_and_leave_no_trace(repo: Repo) -> None:
    before = repo.read(".git/config")
    path = write_hook(repo, "post-checkout", FOREIGN)
    for _ in range(2):
        repo.pivot("hooks", "install").expect(0)
        repo.pivot("hooks", "status").expect(0)
        assert (path.read_text(), hooks_set(repo)) == (FOREIGN, set(NAMES))
        repo.pivot("hooks", "uninstall").expect(0)
        assert (path.read_text(), repo.read(".git/config")) == (FOREIGN, before)


def test_files_that_an_older_git_needed_go(branches: Repo) -> None:
    assert (branches.path / ".git/hooks/pre-push").exists()
    branches.pivot("hooks", "install").expect(0)
    assert not (branches.path / ".git/hooks/pre-push").exists()
    assert git_says(branches, "switch", "main") == ["other -> main: 1 output restored, 1 unchanged"]


def test_they_move_with_the_repository(branches: Repo, tmp_path: Path) -> None:
    branches.pivot("hooks", "install").expect(0)
    moved = Repo(branches.path.rename(tmp_path / "it's moved"))
    assert git_says(moved, "switch", "main") == ["other -> main: 1 output restored, 1 unchanged"]


def test_a_script_that_is_gone_stops_nothing_and_status_says_so(branches: Repo) -> None:
    branches.pivot("hooks", "install").expect(0)
    for path in (branches.path / ".git/pivot/hooks").iterdir():
        path.unlink()
    assert git_says(branches, "switch", "main") == []
    branches.pivot("hooks", "status").expect(1)


@pytest.fixture
def server(branches: Repo, tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "server.git", "--bare")
    made.pivot("hooks", "install", "--server").expect(0)
    assert hooks_set(made) == set(SERVER_NAMES)
    branches.git("remote", "add", "origin", str(made.path))
    branches.pivot("hooks", "install").expect(0)
    return made


def test_a_server_refuses_a_stale_stage_by_name(branches: Repo, server: Repo) -> None:
    server.git("config", "pivot.ci", "verify")
    server.git("config", "pivot.store", str(branches.path / ".git/pivot/store.git"))
    assert said_by(branches, "origin", "main") == []
    change_data(branches)
    assert "count: it is stale" in said_by(branches, "origin", "other", code=1)[0]


def test_a_server_runs_what_was_pushed(branches: Repo, server: Repo) -> None:
    server.git("config", "pivot.ci", "run")
    change_process(branches)
    branches.commit("not run here")
    assert any("process: done" in line for line in said_by(branches, "origin", "other"))
    assert os.listdir(server.path / "pivot/ci") == ["lock"]  # noqa: PTH208
