"""Where `.git` cannot be written, the store is read, and nothing is replaced that exists nowhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.test_store import WITHOUT_ROOTS_RIGHTS
from tests.support.repository import PIVOT, Repo, Result
from tests.support.stories import ran

pytestmark = pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes wherever it likes"
)
PIPELINE = """
import pathlib
from typing import Annotated
import pivot

def small(x: Annotated[str, pivot.Dep("in.txt")]) -> Annotated[str, pivot.Out("small.txt")]:
    return x.upper()

def large(x: Annotated[str, pivot.Dep("in.txt")]) -> Annotated[str, pivot.Out("large.txt")]:
    return x.upper() * 1_000_000

def folder(x: Annotated[str, pivot.Dep("in.txt")]) -> Annotated[
    pathlib.Path, pivot.Out("folder/", pivot.loaders.PathOnly())
]:
    path = pathlib.Path("folder")
    path.mkdir()
    (path / "a.txt").write_text(x)
    return path

pipeline = pivot.Pipeline("p")
for stage in (small, large, folder):
    pipeline.register(stage)
"""
OUTPUTS = ("small.txt", "large.txt", "folder/a.txt")


@pytest.fixture
def project(repo: Repo) -> Repo:
    repo.write("pipeline.py", PIPELINE)
    repo.write("in.txt", "first\n")
    repo.commit("three stages")
    ran(repo)
    return repo


@contextmanager
def read_only(repo: Repo) -> Iterator[None]:
    folders = [path for path in (repo.path / ".git", *(repo.path / ".git").rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in folders:
            path.chmod(0o755)


def pivot(repo: Repo, *args: str) -> Result:
    """The command by somebody who may not write to `.git`; root gives that right away for it."""
    with read_only(repo):
        return repo.run(*(WITHOUT_ROOTS_RIGHTS if os.geteuid() == 0 else ()), *PIVOT, *args)


def edit(repo: Repo, path: str) -> None:
    (repo.path / path).unlink()
    repo.write(path, "MY EDIT")


@pytest.mark.parametrize("path", OUTPUTS)
@pytest.mark.parametrize("change", [True, False], ids=["must run", "could be restored"])
def test_an_edit_is_not_replaced_and_nothing_is_promised(project: Repo, path: str, change: bool) -> None:
    edit(project, path)
    if change:
        project.write("in.txt", "second\n")
    said = pivot(project, "repro").expect(1)
    assert project.read(path) == "MY EDIT"
    assert "are kept" not in said.out + said.err
    assert "is left as it is: it has edits that exist nowhere else" in said.out + said.err


@pytest.mark.parametrize("path", OUTPUTS)
def test_checkout_replaces_no_edit(project: Repo, path: str) -> None:
    edit(project, path)
    said = pivot(project, "checkout").expect(2)
    assert (project.read(path), "edits that exist nowhere else" in said.err) == ("MY EDIT", True)


@pytest.mark.parametrize("path", OUTPUTS)
def test_what_the_store_has_is_restored_from_it(project: Repo, path: str) -> None:
    before = project.read(path)
    (project.path / path).unlink()
    said = pivot(project, "repro").expect(0)
    assert (project.read(path), "0 ran, 1 restored, 2 unchanged" in said.out) == (before, True)


def test_edits_go_where_the_user_says_so(project: Repo) -> None:
    edit(project, "small.txt")
    pivot(project, "repro", "--discard-edits").expect(0)
    assert project.read("small.txt") == "FIRST\n"


def test_edits_that_were_saved_before_are_listed_and_come_back(project: Repo) -> None:
    edit(project, "small.txt")
    project.pivot("repro").expect(0)
    assert "small.txt" in pivot(project, "saved").expect(0).out
    oid = project.pivot("saved", "--json").json()["saved"][0]["id"]
    pivot(project, "get", oid, "-o", "back.txt").expect(0)
    assert project.read("back.txt") == "MY EDIT"


def test_adopt_says_that_nothing_can_be_recorded(project: Repo) -> None:
    edit(project, "small.txt")
    assert "nothing can be recorded here" in pivot(project, "adopt", "small", "-m", "mine").expect(2).err
