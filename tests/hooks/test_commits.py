"""Commits, amends, merges and rebases through real git and the installed hooks: each new commit has its note."""

from __future__ import annotations

import shutil

import pytest

from tests.hooks.support import change_process, git_says
from tests.support.repository import Repo
from tests.support.stories import ran


@pytest.fixture
def noted(branches: Repo) -> Repo:
    """As `branches`, with an analysis that stands."""
    branches.pivot("status").expect(0)
    return branches


def note(repo: Repo, commit: str = "HEAD") -> list[str]:
    """The words after each stage's name, of the lines that are true of the commit."""
    tree = repo.git("rev-parse", f"{commit}^{{tree}}")[:12]
    lines = repo.run("git", "notes", "--ref=pivot", "show", commit).out.splitlines()
    return [" ".join(line.split()[:2]) for line in lines if tree in line.split()]


def states(repo: Repo, commit: str = "HEAD") -> dict[str, str]:
    found = dict(line.split() for line in note(repo, commit))
    return {stage: word if word in ("stale", "unknown") else "result" for stage, word in found.items()}


BOTH = {"count": "result", "process": "result"}


def test_a_commit_gets_its_note_without_a_run(noted: Repo) -> None:
    noted.write("unrelated.txt", "x\n")
    noted.commit("unrelated")
    assert states(noted) == BOTH


def test_a_commit_of_what_was_run_is_noted_as_run(noted: Repo) -> None:
    change_process(noted)
    assert ran(noted) == ["process"]
    noted.commit("run before")
    assert states(noted) == BOTH


def test_a_commit_of_what_was_not_run_is_left_to_the_next_run(noted: Repo) -> None:
    """The kept analysis does not hold, and a hook imports no code of the user's."""
    noted.replace("pipeline.py", "import pivot\n", "import pathlib\nimport pivot\npathlib.Path('imported').touch()\n")
    noted.commit("not run", "pipeline.py")
    assert (states(noted), noted.exists("imported")) == ({}, False)


def test_a_change_of_data_makes_the_note_say_stale(noted: Repo) -> None:
    noted.replace("data.json", "1", "7")
    noted.commit("other data")
    assert states(noted) == {"count": "stale", "process": "stale"}


def test_an_amended_message_keeps_the_note(noted: Repo) -> None:
    (noted.path / "pipeline.py").touch()
    noted.git("commit", "--quiet", "--amend", "--message", "said better")
    assert states(noted) == BOTH


def test_an_empty_commit_has_the_lines_of_its_parent_even_with_a_broken_pipeline(noted: Repo) -> None:
    noted.write("pipeline.py", "raise SystemExit('broken')\n")
    noted.git("commit", "--quiet", "--allow-empty", "--message", "empty")
    assert states(noted) == BOTH


def test_with_a_path_named_the_index_of_the_commit_is_no_trap(noted: Repo) -> None:
    noted.write("a.txt", "a\n")
    noted.git("add", "a.txt")
    noted.git("commit", "--quiet", "--message", "one path", "a.txt")
    assert (states(noted), noted.status()) == (BOTH, "")


def test_outputs_follow_a_merge_that_only_moves_forward(noted: Repo) -> None:
    other = noted.read("processed.json")
    git_says(noted, "switch", "main")
    assert noted.read("processed.json") != other
    assert [line.partition(": ")[2] for line in git_says(noted, "merge", "other")] == ["1 output restored, 1 unchanged"]
    assert noted.read("processed.json") == other


def test_a_rebase_notes_its_commits_of_equal_trees(noted: Repo) -> None:
    noted.write("a.txt", "a\n")
    noted.commit("a")
    noted.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    top = noted.git("rev-parse", "HEAD^{tree}")
    noted.git("rebase", "--quiet", "--force-rebase", "--keep-empty", "HEAD~2")
    assert noted.git("rev-parse", "HEAD^{tree}") == top
    assert states(noted) == BOTH


def test_what_a_host_has_squashed_is_noted_when_it_comes_with_a_pull(noted: Repo) -> None:
    other = noted.read("processed.json")
    git_says(noted, "switch", "main")
    squashed = noted.git("commit-tree", "-p", "main", "-m", "squashed", "other^{tree}")
    assert git_says(noted, "merge", squashed)[0].endswith("1 output restored, 1 unchanged")
    assert (states(noted), noted.read("processed.json")) == (BOTH, other)


def test_the_commit_that_takes_the_pipeline_away_is_no_error(noted: Repo) -> None:
    noted.git("rm", "--quiet", "pipeline.py")
    assert git_says(noted, "commit", "--message", "no pipeline") == []


def test_a_stage_that_is_only_tried_is_none_of_the_commits(noted: Repo) -> None:
    noted.replace("pipeline.py", "def count", "def tally")
    noted.replace("pipeline.py", "register(count)", "register(tally)")
    (noted.path / "sub").mkdir()
    shutil.copy(noted.path / "pipeline.py", noted.path / "sub")
    shutil.copy(noted.path / "data.json", noted.path / "sub")
    noted.pivot("repro").expect(0)
    assert states(noted) == BOTH


def test_a_squash_merge_does_nothing_before_it_is_committed(noted: Repo) -> None:
    git_says(noted, "switch", "main")
    before = noted.read("processed.json")
    noted.git("merge", "--quiet", "--squash", "other")
    assert noted.read("processed.json") == before
