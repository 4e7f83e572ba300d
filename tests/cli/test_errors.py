"""A user's mistake gets one clear error: what, where, what next; exit code 2, and never a traceback of ours."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import PIVOT, Repo

HEAD = """
from typing import Annotated
import pivot

pipeline = pivot.Pipeline("{name}")

"""

WRITES = """
@pipeline.register
def {stage}() -> Annotated[str, pivot.Out("{out}")]:
    return ""
"""


def error(repo: Repo, *args: str) -> str:
    result = repo.pivot(*(args or ("repro",))).expect(2)
    assert "Traceback" not in result.err
    assert result.out == ""
    return result.err


def test_no_pipeline(repo: Repo) -> None:
    assert "pivot.Pipeline" in error(repo)


def test_a_pipeline_that_registers_nothing(repo: Repo) -> None:
    repo.write("pipeline.py", "import pivot\n")
    assert "pipeline.py registers no stage" in error(repo)


def test_an_output_that_git_tracks_names_both_ways_out(front_page: Repo) -> None:
    front_page.write("clean.json", "{}")
    front_page.commit("tracked")
    said = error(front_page)
    assert said.startswith("error: pipeline.py:7: Git tracks the output clean.json")
    assert "git rm --cached clean.json" in said
    assert "cache=False" in said


def test_two_pipelines_that_write_one_path_are_both_named(repo: Repo) -> None:
    for folder, out in (("one", "../same.txt"), ("two", "../same.txt")):
        repo.write(f"{folder}/pipeline.py", HEAD.format(name=folder) + WRITES.format(stage=folder, out=out))
    said = error(repo)
    assert "same.txt" in said
    assert "one/pipeline.py:8" in said
    assert "two/pipeline.py:8" in said


def test_a_cycle_is_shown_as_its_path(repo: Repo) -> None:
    repo.write(
        "pipeline.py",
        HEAD.format(name="p")
        + """
@pipeline.register
def a(x: Annotated[str, pivot.Dep("b.txt")]) -> Annotated[str, pivot.Out("a.txt")]:
    return x

@pipeline.register
def b(x: Annotated[str, pivot.Dep("a.txt")]) -> Annotated[str, pivot.Out("b.txt")]:
    return x
""",
    )
    assert "the stages form a cycle: " in error(repo)


@pytest.mark.parametrize("verb", ["repro", "status", "dag"])
def test_a_wrong_declaration_is_an_error_with_its_line(repo: Repo, verb: str) -> None:
    repo.write("pipeline.py", HEAD.format(name="p") + WRITES.format(stage="s", out="/etc/passwd"))
    said = error(repo, verb)
    assert "pipeline.py:" in said
    assert "/etc/passwd" in said


@pytest.mark.parametrize("broken", ["<<<<<<< HEAD\n", "import not_here\n"])
def test_a_pipeline_that_cannot_be_imported_is_named_above_its_traceback(repo: Repo, broken: str) -> None:
    repo.write("pipeline.py", broken)
    said = repo.pivot("status").expect(2).err
    assert said.startswith("error: pipeline.py cannot be imported\n")
    assert "not_here" in said or "SyntaxError" in said


def test_one_broken_pipeline_leaves_the_others_running(repo: Repo) -> None:
    repo.write("good/pipeline.py", HEAD.format(name="good") + WRITES.format(stage="fine", out="fine.txt"))
    repo.write("bad/pipeline.py", "import pivot\nraise RuntimeError('broken')\n")
    result = repo.pivot("repro").expect(2)
    assert "1 ran" in result.out
    assert "bad/pipeline.py cannot be imported" in result.err
    assert "RuntimeError: broken" in result.err


def test_a_pipeline_that_calls_git_pivot_while_it_is_imported_ends(repo: Repo) -> None:
    call = f"import subprocess\nsaid = subprocess.run({[*PIVOT, 'status']}, capture_output=True, text=True)\n"
    call += "raise RuntimeError(said.stderr)\n"
    repo.write("pipeline.py", call + HEAD.format(name="p") + WRITES.format(stage="s", out="o.txt"))
    assert "is called by code of this repository" in repo.pivot("status").expect(2).err


def test_a_bare_repository_says_so(repo: Repo) -> None:
    repo.git("clone", "--quiet", "--bare", ".", "bare.git")
    said = repo.pivot("repro", cwd="bare.git").expect(2).err
    assert "bare" in said


def test_an_output_that_a_link_leads_outside_is_refused(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repo.path / "link").symlink_to(tmp_path / "elsewhere")
    repo.write("pipeline.py", HEAD.format(name="p") + WRITES.format(stage="s", out="link/o.txt"))
    assert "pipeline.py:8: the output link/o.txt leaves the repository through the link link" in error(repo)


def test_an_output_in_a_repository_of_its_own_is_refused(repo: Repo) -> None:
    repo.git("init", "--quiet", "nested")
    repo.write("pipeline.py", HEAD.format(name="p") + WRITES.format(stage="s", out="nested/deep/o.txt"))
    assert "lies in the repository nested" in error(repo)


def test_a_dep_that_cannot_be_read_blocks_its_stage_alone(repo: Repo) -> None:
    os.mkfifo(repo.path / "pipe")
    reads = """
@pipeline.register
def reads(x: Annotated[bytes, pivot.Dep("pipe")]) -> Annotated[bytes, pivot.Out("r.txt")]:
    return x
"""
    repo.write("pipeline.py", HEAD.format(name="p") + reads + WRITES.format(stage="fine", out="fine.txt"))
    said = repo.pivot("repro", "--keep-going").expect(1).out
    assert "1 ran" in said
    assert "reads: blocked: Input missing: pipe (pipeline.py:8)" in said


def test_a_folder_in_the_place_of_the_lock_is_named(front_page: Repo) -> None:
    (front_page.path / ".git/pivot/lock").mkdir(parents=True)
    assert ".git/pivot/lock: a folder stands where a file is to be" in error(front_page)


@pytest.mark.parametrize("verb", ["status", "dag"])
def test_a_reader_that_goes_away_is_no_failure(front_page: Repo, verb: str) -> None:
    command = f"{shlex.join([*PIVOT, verb])} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=front_page.path, check=False, capture_output=True, text=True)
    assert (done.returncode in (0, 141), done.stderr) == (True, "")


def test_a_run_whose_reader_goes_away_goes_on(front_page: Repo) -> None:
    command = f"{shlex.join([*PIVOT, 'repro'])} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=front_page.path, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert front_page.exists("summary.json")
