"""`Out(keep=True)`: what stood there stays while the stage runs, and counts for nothing but that."""

from __future__ import annotations

import shutil

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran, settled

PIPELINE = """
import pathlib
from typing import Annotated

import pivot

def train(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[
    pathlib.Path, pivot.Out("log.txt", pivot.loaders.PathOnly(), keep=True)
]:
    path = pathlib.Path("log.txt")
    before = path.read_text() if path.exists() else ""
    path.write_text(before + raw)
    if "bad" in raw:
        raise ValueError(raw)
    return path

pipeline = pivot.Pipeline("kept")
pipeline.register(train)
"""


@pytest.fixture
def kept(repo: Repo) -> Repo:
    """A stage that appends to its output, run once."""
    repo.write("raw.txt", "1")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("start")
    ran(repo)
    return repo


def test_the_stage_goes_on_from_what_stood_there(kept: Repo) -> None:
    kept.write("raw.txt", "2")
    ran(kept)
    assert kept.read("log.txt") == "12"


def test_what_stood_there_is_no_input(kept: Repo) -> None:
    kept.commit("once")
    settled(kept)


def test_another_state_is_restored_and_not_written_through(kept: Repo) -> None:
    kept.write("raw.txt", "2")
    ran(kept)
    kept.write("raw.txt", "1")
    assert endings(kept) == {"train": "restored"}
    assert kept.read("log.txt") == "1"


def test_after_a_failure_what_stood_there_is_as_it_was(kept: Repo) -> None:
    kept.write("raw.txt", "bad")
    endings(kept, code=1)
    assert kept.read("log.txt") == "1"


def test_an_output_that_a_run_writes_again_was_no_edit(helper_page: Repo) -> None:
    ran(helper_page)
    shutil.rmtree(helper_page.path / ".git/pivot/store.git")
    said = helper_page.pivot("repro", "--force").expect(0)
    assert "edits" not in said.out + said.err
    assert helper_page.pivot("saved").expect(0).out == ""
