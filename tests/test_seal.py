"""The seal around the tests holds."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.support import Repo
from tests.support.seal import NetworkRefused


def test_the_home_of_a_test_is_its_own_with_a_git_config_and_an_empty_temporary_folder(tmp_path: Path) -> None:
    home = Path.home()
    assert sorted(entry.name for entry in home.rglob("*")) == ["gitconfig", "tmp"]
    assert home.parent == tmp_path.parent


def test_no_variable_that_points_git_at_another_repository_is_left() -> None:
    allowed = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES", "GIT_TERMINAL_PROMPT"}
    assert {name for name in os.environ if name.startswith("GIT_")} == allowed


def test_the_current_folder_is_in_no_repository(tmp_path: Path) -> None:
    assert Path.cwd() == tmp_path
    Repo(tmp_path).git("rev-parse", "--git-dir", code=128)


def test_commits_have_the_fixed_identity_and_the_branch_is_main(repo: Repo, fixed_dates: str) -> None:
    repo.commit("first")
    assert repo.git("log", "--format=%an <%ae> %D %aI") == f"Ada Tester <ada@example.com> HEAD -> main {fixed_dates}"


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")])
def test_a_connection_beyond_this_machine_is_refused(family: int, host: str) -> None:
    with socket.socket(family) as client, pytest.raises(NetworkRefused):
        client.connect((host, 80))


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_an_edit_that_changes_nothing_fails_the_test(repo: Repo) -> None:
    repo.write("a.py", "x = 1\n")
    with pytest.raises(AssertionError, match="does not stand"):
        repo.replace("a.py", "y = 1", "y = 2")
