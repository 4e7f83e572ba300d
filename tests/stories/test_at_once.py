"""Many commands at once: they wait for each other, nothing runs twice, and nothing is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran, settled

COUNTED = """
import os
import pathlib
from typing import Annotated

import pivot

def counted(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[str, pivot.Out("out.txt")]:
    with open(os.environ["COUNT"], "a") as file:
        file.write("x")
    return raw + "!"

def after(text: Annotated[str, pivot.Dep("out.txt")]) -> Annotated[str, pivot.Out("after.txt")]:
    return text + "?"

pipeline = pivot.Pipeline("at_once")
pipeline.register(counted)
pipeline.register(after)
"""


@pytest.fixture(autouse=True)
def count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one letter for each run of the first stage."""
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    return tmp_path / "count"


def start(repo: Repo) -> None:
    repo.write("raw.txt", "1")
    repo.write("pipeline.py", COUNTED)
    repo.commit("start")


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What each said on standard error; all must have ended well."""
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), ends
    return [err for _, err in ends]


@pytest.mark.slow
def test_twenty_in_one_work_tree_run_each_stage_once(repo: Repo, count: Path) -> None:
    start(repo)
    said = finish([repo.start_pivot("repro") for _ in range(20)])
    assert count.read_text() == "x"
    assert any("waiting: process" in err for err in said)
    assert (repo.read("out.txt"), repo.read("after.txt")) == ("1!", "1!?")
    settled(repo)


def test_two_in_two_work_trees_both_end_well_and_share_what_they_made(repo: Repo, tmp_path: Path) -> None:
    start(repo)
    repo.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "other"))
    other = Repo(tmp_path / "other")
    other.write("raw.txt", "2")
    other.commit("other data")
    finish([one.start_pivot("repro") for one in (repo, other)])
    assert (repo.read("after.txt"), other.read("after.txt")) == ("1!?", "2!?")
    repo.git("merge", "--quiet", "other")
    assert ran(repo) == []
    assert repo.read("after.txt") == "2!?"
