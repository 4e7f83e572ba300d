"""A stage that does not give the same twice is found out, and where it differs is said."""

from __future__ import annotations

from tests.support.repository import Repo
from tests.support.stories import ran

PIPELINE = """
import os
from typing import Annotated
import pivot

def steady(
    raw: Annotated[str, pivot.Dep("data.txt", pivot.loaders.Text())],
) -> Annotated[str, pivot.Out("steady.txt", pivot.loaders.Text())]:
    return raw.upper()

def after(
    text: Annotated[str, pivot.Dep("steady.txt", pivot.loaders.Text())],
) -> Annotated[str, pivot.Out("after.txt", pivot.loaders.Text())]:
    return text + "the same line\\n" + os.urandom(8).hex()

def files() -> Annotated[dict, pivot.DirectoryOut("parts/", pivot.loaders.Text())]:
    return {"same.txt": "x", "sets.txt": " ".join({f"name-{number}" for number in range(20)})}

pipeline = pivot.Pipeline("twice")
for each in (steady, after, files):
    pipeline.register(each)
"""


def written(repo: Repo) -> Repo:
    repo.write("data.txt", "a\n")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("twice")
    assert len(ran(repo)) == 3
    return repo


def test_byte_equal_outputs_pass_and_others_are_named_with_their_place(repo: Repo) -> None:
    written(repo)
    before = {path: repo.read(path) for path in ("steady.txt", "after.txt", "parts/sets.txt")}
    runs = repo.git("rev-parse", "refs/pivot/runs")
    said = repo.pivot("repro", "--verify-determinism").expect(1).out
    assert "steady: deterministic: 1 output byte-equal\n" in said
    assert "after: NOT deterministic\n  after.txt  " in said
    assert "from line 3, byte" in said
    assert "  parts/sets.txt  " in said
    assert "same.txt" not in said
    assert {path: repo.read(path) for path in before} == before
    assert repo.git("rev-parse", "refs/pivot/runs") == runs
    assert repo.status() == ""


def test_named_stages_alone_are_run(repo: Repo) -> None:
    written(repo)
    told = repo.pivot("repro", "--verify-determinism", "steady", "--json").expect(0).json()
    assert [(one["stage"], one["deterministic"]) for one in told["stages"]] == [("steady", True)]


def test_inputs_that_are_not_up_to_date_are_asked_for_first(repo: Repo) -> None:
    written(repo)
    repo.write("data.txt", "b\n")
    assert "git pivot repro" in repo.pivot("repro", "--verify-determinism", "after").expect(2).err


def test_a_stage_that_fails_cannot_be_told(repo: Repo) -> None:
    written(repo)
    repo.replace("pipeline.py", "raw.upper()", "1 / 0")
    said = repo.pivot("repro", "--verify-determinism", "steady").expect(1).out
    assert "steady: cannot be told\n  the first run failed: " in said
    assert "ZeroDivisionError" in said


def test_a_dry_run_of_it_is_refused_and_runs_nothing(repo: Repo) -> None:
    repo.write("pipeline.py", PIPELINE)
    assert "--verify-determinism does not go with --dry-run" in (
        repo.pivot("repro", "--verify-determinism", "-n").expect(2).err
    )
