"""A project with two branches, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.hooks.support import two_branches
from tests.support.examples import DATA, HELPER
from tests.support.repository import Repo


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo.init(tmp_path_factory.mktemp("made") / "project")
    repo.write("data.json", DATA)
    repo.write("pipeline.py", HELPER)
    repo.commit("the example")
    return two_branches(repo)


@pytest.fixture
def branches(_made: Repo, tmp_path: Path) -> Repo:
    """`main` and `other`, both run and noted; `other` is checked out; the hooks are installed."""
    shutil.copytree(_made.path, tmp_path / "project", symlinks=True)
    # It speaks of the place that it was made for.
    shutil.rmtree(tmp_path / "project/.git/pivot/cache")
    return Repo(tmp_path / "project")
