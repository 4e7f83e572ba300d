"""A repository opened in each way that Pivot can open one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pivot.git.odb.backend import Author, Backend
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.git.odb.process_backend import ProgramBackend
from pivot.git.plumbing.locate import RepositoryLocation, locate
from tests.support.gits import NEWER_GIT, use_newer_git
from tests.support.repository import Repo
from tests.support.slow import slow_unless

AUTHOR = Author("Ada Tester", "ada@example.com", 1_700_000_000, 60)


# Name of the case -> how the repository is made, how it is opened.
WAYS: dict[str, tuple[tuple[str, ...], Callable[[Path, Path], Backend]]] = {
    "libgit": ((), LibgitBackend),
    "program": ((), ProgramBackend),
    "program-sha256": (("--object-format=sha256",), ProgramBackend),
}
if NEWER_GIT:
    WAYS["program-reftable"] = (("--ref-format=reftable",), ProgramBackend)


@pytest.fixture(params=slow_unless(WAYS, lambda way: way in ("libgit", "program")))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "program-reftable":
        use_newer_git(monkeypatch)
    return str(request.param)


@pytest.fixture
def made(way: str, tmp_path: Path) -> Repo:
    """An empty repository of the kind that this way of opening is for."""
    return Repo.init(tmp_path / "made", *WAYS[way][0])


@pytest.fixture
def backend(way: str, made: Repo) -> Iterator[Backend]:
    found = locate(made.path)
    opened = WAYS[way][1](found.git_dir, found.common_dir)
    yield opened
    opened.close()


@pytest.fixture
def location(repo: Repo) -> RepositoryLocation:
    return locate(repo.path)


@pytest.fixture
def author() -> Author:
    return AUTHOR


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user whom Git cannot name."""
    empty = tmp_path / "no-identity"
    empty.write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.fspath(empty))
