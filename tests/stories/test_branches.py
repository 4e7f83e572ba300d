"""Whatever people do with branches, what was run once is not run again: each story ends with nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import PIVOT, Repo
from tests.support.stories import ran, settled


@pytest.fixture
def main(helper_page: Repo) -> Repo:
    """Two stages, run on a clean `main`."""
    assert sorted(ran(helper_page)) == ["count", "process"]
    return helper_page


def change_process(repo: Repo) -> None:
    repo.replace("pipeline.py", "value / top", "2 * value / top")


def change_count(repo: Repo) -> None:
    repo.replace("pipeline.py", 'len(raw["records"])', 'len(raw["records"]) + 1')


def branch_with(repo: Repo, name: str, change: Callable[[Repo], None] = change_process) -> None:
    """A branch off HEAD with a change, run and committed."""
    repo.git("switch", "--quiet", "--create", name)
    change(repo)
    assert len(ran(repo)) == 1
    repo.commit(f"on {name}")
    settled(repo)


def test_switching_there_and_back(main: Repo) -> None:
    before = main.read("processed.json")
    branch_with(main, "other")
    other = main.read("processed.json")
    main.git("switch", "--quiet", "main")
    settled(main)
    assert main.read("processed.json") == before != other
    main.git("switch", "--quiet", "other")
    settled(main)
    assert main.read("processed.json") == other


def test_merging_two_branches_that_each_changed_another_stage(main: Repo) -> None:
    branch_with(main, "one", change_process)
    main.git("switch", "--quiet", "main")
    branch_with(main, "two", change_count)
    main.git("merge", "--quiet", "--no-edit", "one")
    settled(main)
    assert main.read("count.json").strip() == "4"


def test_rebasing_onto_a_branch_with_new_results(main: Repo) -> None:
    branch_with(main, "topic", change_process)
    main.git("switch", "--quiet", "main")
    change_count(main)
    ran(main)
    main.commit("on main")
    main.git("rebase", "--quiet", "main", "topic")
    settled(main)


def test_amending_a_commit(main: Repo) -> None:
    branch_with(main, "topic")
    main.write("notes.txt", "more\n")
    main.git("add", "notes.txt")
    main.git("commit", "--quiet", "--amend", "--message", "said better")
    settled(main)


def test_cherry_picking(main: Repo) -> None:
    branch_with(main, "topic")
    main.git("switch", "--quiet", "main")
    main.write("unrelated.txt", "x\n")
    main.commit("unrelated")
    main.git("cherry-pick", "topic")
    settled(main)


def test_a_squash_merge_is_noted_by_its_files(main: Repo) -> None:
    branch_with(main, "topic")
    change_count(main)
    ran(main)
    main.commit("second")
    settled(main)
    main.git("switch", "--quiet", "main")
    main.git("merge", "--quiet", "--squash", "topic")
    main.commit("squashed")
    shown = main.pivot("show", "--json").expect(0).json()
    assert shown["noted"] == main.git("rev-parse", "topic") != shown["commit"]
    settled(main)


def test_stashing_and_popping(main: Repo) -> None:
    change_process(main)
    assert ran(main) == ["process"]
    main.git("stash", "--quiet")
    settled(main)
    main.git("stash", "pop", "--quiet")
    assert ran(main) == []
    main.commit("kept")
    settled(main)


def test_bisecting_with_repro_finds_the_commit_that_breaks(main: Repo) -> None:
    good = main.head()
    change_count(main)
    main.commit("good too")
    main.replace("pipeline.py", "top = max(values)", 'raise ValueError("broken")')
    bad = main.commit("breaks")
    for number in range(3):
        main.write("later.txt", f"{number}\n")
        main.commit(f"later {number}")
    main.git("bisect", "start", "HEAD", good)
    main.git("bisect", "run", *PIVOT, "repro")
    assert main.git("rev-parse", "refs/bisect/bad").strip() == bad
    main.git("bisect", "reset")
    main.git("reset", "--quiet", "--hard", good)
    settled(main)


def test_a_second_work_tree_restores_what_the_first_has_run(main: Repo, tmp_path: Path) -> None:
    main.git("worktree", "add", "--quiet", "-b", "second", str(tmp_path / "second"))
    second = Repo(tmp_path / "second")
    settled(second)
    assert second.read("processed.json") == main.read("processed.json")
    change_process(second)
    ran(second)
    second.commit("there")
    main.git("merge", "--quiet", "second")
    settled(main)


def test_in_packed_refs_everything_is_found(main: Repo) -> None:
    main.git("pack-refs", "--all")
    settled(main)
    branch_with(main, "topic")
    main.git("gc", "--quiet")
    main.git("switch", "--quiet", "main")
    settled(main)
