"""Cleaning up takes what nothing needs, and whatever a user can still reach stays."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.repository import PIVOT, Repo
from tests.support.stories import endings, ran, settled


@pytest.fixture
def main(helper_page: Repo) -> Repo:
    """Two stages, run on a clean `main`."""
    ran(helper_page)
    return helper_page


def change(repo: Repo, factor: int) -> None:
    """Another version of `process`, unlike any other factor's."""
    repo.replace("pipeline.py", "value / top", f"{factor} * value / top")


def branch(repo: Repo, name: str, factor: int) -> str:
    """A branch off HEAD with a result of its own, and back again; the bytes of that result."""
    repo.git("switch", "--quiet", "--create", name)
    change(repo, factor)
    repo.commit(name)
    ran(repo)
    made = repo.read("processed.json")
    repo.git("switch", "--quiet", "-")
    ran(repo)
    return made


def gc(repo: Repo, *args: str) -> str:
    return repo.pivot("gc", "--keep-runs", "0", *args).expect(0).out


def records(repo: Repo) -> int:
    return repo.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").count("/record")


def forget(repo: Repo, name: str) -> None:
    """Take away all that leads to a branch."""
    repo.git("branch", "--quiet", "-D", name)
    repo.git("reflog", "expire", "--expire=now", "--all")


def has_bytes(repo: Repo, text: str, store: str = ".git/pivot/store.git") -> bool:
    oid = repo.git("hash-object", "--stdin", stdin=text)
    listed = repo.git("--git-dir", store, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return oid in listed.split()


def test_a_result_of_a_forgotten_branch_goes_with_its_bytes(main: Repo) -> None:
    made = branch(main, "topic", 2)
    forget(main, "topic")
    before = records(main)
    assert gc(main).startswith("removed 1 result, ")
    assert records(main) == before - 1
    assert not has_bytes(main, made)
    settled(main)


def test_every_branch_still_switches_without_a_run(main: Repo) -> None:
    made = branch(main, "topic", 2)
    gc(main)
    main.git("switch", "--quiet", "topic")
    settled(main)
    assert main.read("processed.json") == made


@pytest.mark.parametrize("keeper", ["tag", "reflog", "stash", "detached work tree"])
def test_what_leads_to_a_commit_keeps_its_results(main: Repo, tmp_path: Path, keeper: str) -> None:
    made = branch(main, "topic", 2)
    tip = main.git("rev-parse", "topic")
    if keeper == "tag":
        main.git("tag", "kept", "topic")
    if keeper == "stash":
        main.git("switch", "--quiet", "topic")
        main.write("data.json", '{"records": []}')
        main.git("stash", "--quiet")
        main.git("switch", "--quiet", "main")
    if keeper == "detached work tree":
        main.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "other"), "topic")
    if keeper == "reflog":
        main.git("branch", "--quiet", "-D", "topic")
    else:
        main.git("branch", "--quiet", "-D", "topic")
        main.git("reflog", "expire", "--expire=now", "HEAD")
    gc(main)
    main.git("switch", "--quiet", "--detach", tip)
    assert ran(main) == []
    assert main.read("processed.json") == made


def test_a_recent_result_stays_and_a_dry_run_removes_nothing(main: Repo) -> None:
    made = branch(main, "topic", 2)
    forget(main, "topic")
    assert main.pivot("gc").expect(0).out.startswith("removed 0 results, 0 objects")
    assert gc(main, "--dry-run").startswith("would remove 1 result, ")
    assert has_bytes(main, made)


def test_what_stands_in_another_work_tree_stays_though_no_commit_has_it(main: Repo, tmp_path: Path) -> None:
    main.git("worktree", "add", "--quiet", "-b", "second", str(tmp_path / "second"))
    second = Repo(tmp_path / "second")
    change(second, 3)
    ran(second)
    made = second.read("processed.json")
    gc(main)
    assert endings(second) == {"process": "unchanged", "count": "unchanged"}
    second.pivot("clean").expect(0)
    assert endings(second) == {"process": "restored", "count": "restored"}
    assert second.read("processed.json") == made


def test_edits_that_were_put_away_stay(main: Repo) -> None:
    main.write("processed.json", "mine")
    ran(main)
    gc(main)
    edit = main.pivot("saved").expect(0).out.split()[0]
    assert main.pivot("get", edit).expect(0).out == "mine"


def test_an_accepted_result_stays(main: Repo) -> None:
    main.replace("pipeline.py", "top = max(values)", "top = max(list(values))")
    main.pivot("accept", "process", "-m", "the same").expect(0)
    main.commit("other")
    main.pivot("clean").expect(0)
    gc(main)
    assert ran(main) == []


def test_after_a_clean_up_nothing_to_do_is_not_said_from_memory(main: Repo) -> None:
    main.pivot("repro").expect(0)
    main.pivot("repro").expect(0)
    gc(main)
    assert not (main.path / ".git/pivot/cache/settled").exists()
    settled(main)


def test_a_clean_up_waits_for_a_running_repro_and_keeps_what_it_makes(main: Repo) -> None:
    go = main.path.parent / "go"
    wait = f"import os, time\n    while not os.path.exists({str(go)!r}): time.sleep(0.01)\n    "
    main.replace("pipeline.py", "return normalize(", f"{wait}return normalize(")
    running = main.start_pivot("repro", "--json")
    assert running.stdout is not None
    wait_for(running.stdout, '"started"')
    cleaning = main.start_pivot("gc", "--keep-runs", "0")
    assert cleaning.stderr is not None
    wait_for(cleaning.stderr, "waiting: process")
    go.touch()
    assert (running.wait(timeout=60), cleaning.wait(timeout=60)) == (0, 0)
    assert ran(main) == []


def test_a_stage_that_cleans_up_is_refused_and_does_not_wait_for_ever(main: Repo) -> None:
    call = f"subprocess.run({[*PIVOT, 'gc']!r}, capture_output=True, text=True, timeout=30).stderr"
    main.replace("pipeline.py", "return len(raw", f"import subprocess; print({call}); return len(raw")
    assert "git pivot is called by code of this repository" in main.pivot("repro", "count").expect(0).out


def test_whoever_shares_a_store_is_asked_what_it_needs(main: Repo, tmp_path: Path) -> None:
    store, other = tmp_path / "shared.git", Repo.init(tmp_path / "other")
    for repo in (main, other):
        repo.git("config", "pivot.store", str(store))
    copy_into(main, other)
    ran(main)
    ran(other)
    made = other.read("processed.json")
    said = gc(main)
    assert "asked 2 repositories" in said
    other.pivot("clean").expect(0)
    assert ran(other) == []
    assert other.read("processed.json") == made


def test_a_repository_that_cannot_be_read_stops_the_clean_up(main: Repo, tmp_path: Path) -> None:
    store, other = tmp_path / "shared.git", Repo.init(tmp_path / "other")
    for repo in (main, other):
        repo.git("config", "pivot.store", str(store))
    copy_into(main, other)
    ran(main)
    ran(other)
    other.path.rename(tmp_path / "moved")
    said = main.pivot("gc").expect(2).err
    assert f"{other.path}/.git uses this store and cannot be read" in said
    Path(said.split("rm ")[1].strip()).unlink()
    main.pivot("gc").expect(0)


def test_records_of_commits_that_others_have_stay_without_their_bytes(main: Repo, tmp_path: Path) -> None:
    main.git("clone", "--quiet", "--bare", str(main.path), str(tmp_path / "hub.git"))
    main.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    other = Repo.init(tmp_path / "theirs")
    other.git("pull", "--quiet", str(tmp_path / "hub.git"), "main")
    other.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    change(other, 5)
    other.commit("theirs, not pushed")
    ran(other)
    other.pivot("push", "origin").expect(0)
    main.pivot("pull", "origin").expect(0)
    before = records(main)
    gc(main)
    assert records(main) == before


def test_what_others_removed_stays_where_it_stands_in_a_work_tree(main: Repo, tmp_path: Path) -> None:
    main.git("clone", "--quiet", "--bare", str(main.path), str(tmp_path / "hub.git"))
    main.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    change(main, 3)
    ran(main)
    main.pivot("push", "origin").expect(0)
    other = Repo(tmp_path / "hub.git").clone(tmp_path / "theirs")
    other.pivot("pull").expect(0)
    before = records(main)
    gc(other)
    assert records(other) == before - 1
    other.pivot("push").expect(0)
    main.pivot("pull", "origin").expect(0)
    assert records(main) == before
    assert ran(main) == []


def test_a_clean_up_that_others_have_not_followed_is_not_counted_twice(main: Repo, tmp_path: Path) -> None:
    main.git("clone", "--quiet", "--bare", str(main.path), str(tmp_path / "hub.git"))
    main.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    branch(main, "topic", 2)
    main.pivot("push", "origin").expect(0)
    forget(main, "topic")
    assert gc(main).startswith("removed 1 result, ")
    assert gc(main).startswith("removed 0 results, 0 objects")
    main.pivot("push", "origin").expect(0)
    assert main.git("rev-parse", "refs/pivot/runs") == main.git("ls-remote", "origin", "refs/pivot/runs").split()[0]


def test_a_shortened_history_is_one_commit_and_others_follow_it(main: Repo, tmp_path: Path) -> None:
    hub = main.clone(tmp_path / "hub.git", "--bare")
    main.git("remote", "add", "origin", str(hub.path))
    branch(main, "topic", 2)
    main.pivot("push", "origin").expect(0)
    other = hub.clone(tmp_path / "theirs")
    other.pivot("pull").expect(0)
    change(other, 5)
    ran(other)
    forget(main, "topic")
    assert "origin: history shortened to one commit: runs, notes" in gc(main, "--rewrite", "origin")
    assert (records(main), records(hub)) == (2, 2)
    for ref in ("refs/pivot/runs", "refs/notes/pivot"):
        assert hub.git("rev-list", "--count", ref) == "1"
    assert "process" in main.git("log", "-1", "--notes=pivot", "--format=%N")
    other.pivot("push").expect(0)
    main.pivot("pull").expect(0)
    assert records(other) == records(main) == 3
    assert ran(other) == ran(main) == []


def test_a_time_that_is_none_is_a_usage_error(main: Repo) -> None:
    assert "no length of time" in main.pivot("gc", "--keep-runs", "soon").expect(2).err


def copy_into(repo: Repo, other: Repo) -> None:
    """The same pipeline with results of its own."""
    other.write("data.json", json.dumps({"records": [{"value": 7}, {"value": 8}]}))
    other.write("pipeline.py", repo.read("pipeline.py"))
    other.commit("another project")


def wait_for(lines: Iterable[str], text: str) -> None:
    end = time.monotonic() + 30
    for line in lines:
        if text in line:
            return
        assert time.monotonic() < end
