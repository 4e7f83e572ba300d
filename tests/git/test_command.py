from __future__ import annotations

import os
from pathlib import Path

import pytest

from pivot.errors import GitError
from pivot.git.plumbing.command import ask_git, clean_environment, local_env_vars, run_git
from tests.support.repository import Repo


def test_the_local_variables_are_those_that_git_names(repo: Repo) -> None:
    assert set(repo.git("rev-parse", "--local-env-vars").split()) <= local_env_vars()


def test_the_users_code_gets_none_of_gits_local_variables() -> None:
    env = {
        "GIT_DIR": "x",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "a.b",
        "GIT_CONFIG_VALUE_0": "c",
        "GIT_AUTHOR_NAME": "Ada",
        "PATH": "/bin",
    }
    assert clean_environment(env) == {"GIT_AUTHOR_NAME": "Ada", "PATH": "/bin"}


def test_a_failure_is_told_in_gits_own_words(repo: Repo) -> None:
    with pytest.raises(GitError, match="git rev-parse failed: Needed a single revision") as raised:
        run_git(["rev-parse", "--verify", "nope"], repo.path)
    assert raised.value.where == str(repo.path)


def test_advice_after_the_reason_is_left_out(repo: Repo) -> None:
    assert (
        ask_git(["checkout", "nope"], repo.path).complaint == "pathspec 'nope' did not match any file(s) known to git"
    )


def test_the_verb_is_named_whatever_stands_before_it(repo: Repo) -> None:
    with pytest.raises(GitError, match="git cat-file failed: "):
        run_git(["--git-dir", repo.path / ".git", "-c", "a.b=c", "--no-pager", "cat-file", "blob", "x"], repo.path)


def test_a_failure_that_is_an_answer_raises_nothing(repo: Repo) -> None:
    assert run_git(["config", "no.such"], repo.path, check=False) == b""


def test_bytes_go_in_and_come_out_unchanged(repo: Repo) -> None:
    oid = run_git(["hash-object", "-w", "--stdin"], repo.path, stdin=b"\0\xff\r\n").decode().strip()
    assert run_git(["cat-file", "blob", oid], repo.path) == b"\0\xff\r\n"


def test_messages_are_english_whatever_the_user_speaks(repo: Repo) -> None:
    env = {**os.environ, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    assert "Needed a single revision" in ask_git(["rev-parse", "--verify", "x"], repo.path, env=env).complaint


def test_without_git_the_sentence_says_so(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(GitError, match="the git program was not found"):
        run_git(["version"], repo.path)


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="the folder to call git in is gone"):
        run_git(["version"], tmp_path / "gone")
