"""Clones of one bare repository, as people have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.git.backend import Backend
from pivot.git.locate import locate
from pivot.git.open import open_backend
from pivot.git.records import Record
from pivot.git.runs import RunCache
from pivot.sync.state import State
from tests.git.conftest import AUTHOR
from tests.git.samples import finished
from tests.support.repository import Repo


class Clone:
    """A clone, with its run cache and what moves it."""

    def __init__(self, repo: Repo) -> None:
        found = locate(repo.path)
        self.repo = repo
        self.backend: Backend = open_backend(found.git_dir, found.common_dir)
        self.runs = RunCache(self.backend)
        self.state = State(found, self.backend, AUTHOR)

    def run(self, number: int, result: str = "a", second: int = 0) -> None:
        """A stage has run here."""
        self.runs.flush([finished(number, result, second)], f"repro: stage{number}", AUTHOR)

    def knows(self, record: Record) -> bool:
        self.runs.refresh()
        return any(found.result == record.result for found in self.runs.lookup(record.fingerprint))

    def tree(self) -> str | None:
        """The tree of the local run cache."""
        return self.backend.tree_of("refs/pivot/runs") if self.backend.ref_get("refs/pivot/runs") else None


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
