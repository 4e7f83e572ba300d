"""A user's mistake gets one clear error: what, where, what next; exit code 2, and never a traceback of ours."""

from __future__ import annotations

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
