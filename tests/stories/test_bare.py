"""In a bare repository, such as a server's, everything works that needs no work tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran


@pytest.fixture
def pushed(front_page: Repo) -> Repo:
    """A project that was run."""
    assert ran(front_page) == ["preprocess", "summarize"]
    return front_page


@pytest.fixture
def bare(pushed: Repo, tmp_path: Path) -> Repo:
    """A bare repository that has its branch, its state and its store."""
    made = Repo.init(tmp_path / "server.git", "--bare")
    pushed.git("remote", "add", "origin", str(made.path))
    pushed.git("push", "--quiet", "origin", "main")
    pushed.pivot("push").expect(0)
    made.git("config", "pivot.store", str(pushed.path / ".git/pivot/store.git"))
    return made


def test_what_is_known_is_read_checked_and_given_out(pushed: Repo, bare: Repo) -> None:
    assert "summarize" in bare.pivot("show", "main").expect(0).out
    assert "preprocess" in bare.pivot("log").expect(0).out
    bare.pivot("verify", "main").expect(0)
    assert bare.pivot("get", "main", "summary.json").expect(0).out == pushed.read("summary.json")


def test_what_needs_no_work_tree_works(bare: Repo) -> None:
    for command in ("fsck", "du", "gc", "saved", "pull ../project", "push ../project", "init"):
        bare.pivot(*command.split()).expect(0)


def test_what_needs_one_says_that_there_is_none(bare: Repo) -> None:
    for command in ("repro", "status", "checkout", "dag", "clean"):
        assert "this is a bare repository: there is no work tree" in bare.pivot(command).expect(2).err
