"""Pushes through real git and the installed hook: results go along, and never stand in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivot.hooks.pre_push import NO_REMOTE
from tests.hooks.support import change_process, git_says
from tests.support.repository import Repo
from tests.support.stories import ran

STATE = {"refs/pivot/runs", "refs/notes/pivot"}


@pytest.fixture
def remote(branches: Repo, tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "remote", "--bare")
    branches.git("remote", "add", "origin", str(made.path))
    return made


def refs(remote: Repo) -> set[str]:
    return set(remote.git("for-each-ref", "--format=%(refname)").splitlines())


def make_stale(repo: Repo) -> None:
    repo.pivot("status").expect(0)
    repo.replace("data.json", "1", "7")
    repo.commit("other data, not run")


@pytest.mark.parametrize(
    "pushed, there",
    [
        (["main"], {"refs/heads/main"}),
        (["main", "other"], {"refs/heads/main", "refs/heads/other"}),
        (["HEAD:refs/heads/new"], {"refs/heads/new"}),
        (["HEAD@{0 days ago}:refs/heads/new"], {"refs/heads/new"}),
        (["--tags"], {"refs/tags/v1"}),
        (["--all"], {"refs/heads/main", "refs/heads/other"}),
    ],
)
def test_results_go_with_a_push(branches: Repo, remote: Repo, pushed: list[str], there: set[str]) -> None:
    branches.git("tag", "--annotate", "--message", "one", "v1")
    assert git_says(branches, "push", "--quiet", "origin", *pushed) == [
        f"origin has the results now: runs, notes, and `git fetch origin` brings those of others ({NO_REMOTE})"
    ]
    assert refs(remote) == there | STATE
    assert "refs/pivot-remotes/origin/" in branches.git("config", "--get-all", "remote.origin.fetch")


def test_the_other_side_has_nothing_to_run(branches: Repo, remote: Repo, tmp_path: Path) -> None:
    branches.git("push", "--quiet", "origin", "other")
    for ref in STATE:
        assert remote.git("rev-parse", ref) == branches.git("rev-parse", ref)


def test_a_mirror_pushes_everything_itself(branches: Repo, remote: Repo) -> None:
    branches.git("push", "--quiet", "--mirror", "origin")
    assert refs(remote) >= STATE | {"refs/heads/main"}


def test_a_deletion_pushes_nothing(branches: Repo, remote: Repo) -> None:
    branches.git("push", "--quiet", "--no-verify", "origin", "main", "other")
    branches.git("push", "--quiet", "origin", "--delete", "other")
    assert refs(remote) == {"refs/heads/main"}


def test_a_forced_push_of_rewritten_history_takes_results_along(branches: Repo, remote: Repo) -> None:
    branches.git("push", "--quiet", "origin", "other")
    branches.git("commit", "--quiet", "--amend", "--message", "again")
    branches.git("push", "--quiet", "--force", "origin", "other")
    assert remote.git("rev-parse", "refs/notes/pivot") == branches.git("rev-parse", "refs/notes/pivot")


def test_no_verify_pushes_no_results(branches: Repo, remote: Repo) -> None:
    branches.git("push", "--quiet", "--no-verify", "origin", "main")
    assert refs(remote) == {"refs/heads/main"}


@pytest.mark.parametrize("mode", ["off", "warn"])
def test_the_setting_keeps_results_here(branches: Repo, remote: Repo, mode: str) -> None:
    branches.git("config", "pivot.prePush", mode)
    assert git_says(branches, "push", "--quiet", "origin", "main") == []
    assert refs(remote) == {"refs/heads/main"}


def test_to_a_url_from_a_linked_work_tree(branches: Repo, remote: Repo, tmp_path: Path) -> None:
    branches.git("worktree", "add", "--quiet", str(tmp_path / "second"), "main")
    Repo(tmp_path / "second").git("push", "--quiet", str(remote.path), "main")
    assert refs(remote) == STATE | {"refs/heads/main"}


def test_through_a_second_remote(branches: Repo, remote: Repo, tmp_path: Path) -> None:
    second = Repo.init(tmp_path / "second", "--bare")
    branches.git("remote", "add", "backup", str(second.path))
    branches.git("push", "--quiet", "origin", "main")
    assert git_says(branches, "push", "--quiet", "backup", "main") == [
        f"backup has the results now: runs, notes, and `git fetch backup` brings those of others ({NO_REMOTE})"
    ]
    assert refs(second) == refs(remote) == STATE | {"refs/heads/main"}


def test_from_a_submodule(branches: Repo, remote: Repo, tmp_path: Path) -> None:
    """It is a repository of its own, with hooks of its own; a push of the one around it is none of its business."""
    branches.git("push", "--quiet", "origin", "main", "other")
    around = Repo.init(tmp_path / "around")
    around.git("submodule", "--quiet", "add", "--branch", "other", str(remote.path), "inside")
    around.commit("with a submodule")
    inside = Repo(around.path / "inside")
    inside.pivot("init").expect(0)
    inside.pivot("pull").expect(0)
    change_process(inside)
    assert sorted(ran(inside)) == ["count", "process"]
    inside.commit("in the submodule")
    assert git_says(inside, "push", "--quiet", "origin", "HEAD:other") == [
        f"origin has the results now: runs, notes ({NO_REMOTE})"
    ]
    assert remote.git("notes", "--ref=pivot", "show", "other")
    assert not (around.path / ".git/pivot").exists()


def test_a_remote_that_refuses_results_gets_the_push(branches: Repo, remote: Repo) -> None:
    remote.git("config", "transfer.hideRefs", "refs/pivot")
    remote.git("config", "--add", "transfer.hideRefs", "refs/notes")
    said = git_says(branches, "push", "--quiet", "origin", "main")
    assert len(said) == 1 and said[0].startswith("origin does not take results")
    branches.git("commit", "--quiet", "--allow-empty", "--message", "b")
    assert git_says(branches, "push", "--quiet", "origin", "other") == []


def test_a_commit_that_nobody_has_noted_is_named(branches: Repo, remote: Repo) -> None:
    branches.replace("pipeline.py", "2 * value", "3 * value")
    branches.commit("not run")
    assert "has no note" in git_says(branches, "push", "--quiet", "origin", "other")[0]


def test_when_results_cannot_be_pushed_the_push_goes_on(branches: Repo, remote: Repo) -> None:
    """The push goes to the pushurl; where results would be fetched from, there is nothing."""
    branches.git("config", "remote.origin.pushurl", str(remote.path))
    branches.git("config", "remote.origin.url", str(branches.path / "nowhere"))
    said = git_says(branches, "push", "--quiet", "origin", "main")
    assert len(said) == 1 and said[0].startswith("results were not pushed: ")
    assert refs(remote) == {"refs/heads/main"}


def test_stale_stages_are_named_and_the_push_goes_on(branches: Repo, remote: Repo) -> None:
    make_stale(branches)
    commit = branches.head()[:8]
    assert git_says(branches, "push", "--quiet", "origin", "other")[0] == f"other ({commit}): count, process are stale"
    assert "refs/heads/other" in refs(remote)


def test_with_require_fresh_they_stop_the_push(branches: Repo, remote: Repo) -> None:
    branches.git("config", "pivot.requireFresh", "true")
    make_stale(branches)
    said = branches.run("git", "push", "--quiet", "origin", "other").expect(1).err
    assert "the push is stopped" in said
    assert refs(remote) == set()
    branches.git("push", "--quiet", "origin", "main")
    branches.git("push", "--quiet", "--no-verify", "origin", "other")


def test_with_verify_a_claim_that_does_not_hold_stops_the_push(branches: Repo, remote: Repo) -> None:
    branches.git("config", "pivot.prePush", "verify")
    branches.git("push", "--quiet", "origin", "main")
    branches.git("update-ref", "-d", "refs/pivot/runs")
    branches.git("update-ref", "-d", "refs/pivot-remotes/origin/runs")
    said = branches.run("git", "push", "--quiet", "origin", "other").expect(1).err
    assert "its record" in said and "is not here" in said


def test_a_setting_without_meaning_stops_nothing(branches: Repo, remote: Repo) -> None:
    branches.git("config", "pivot.prePush", "sometimes")
    assert "must be one of" in branches.run("git", "push", "--quiet", "origin", "main").expect(0).err


@pytest.fixture
def lab(branches: Repo, remote: Repo, tmp_path: Path) -> Path:
    """A remote of outputs."""
    branches.git("config", "pivot-remote.lab.url", str(tmp_path / "lab"))
    return tmp_path / "lab"


def break_store(lab: Path) -> None:
    """Make a remote one that cannot be written, by root either."""
    lab.mkdir()
    (lab / "somebody's file").touch()


def test_outputs_go_before_the_results(branches: Repo, remote: Repo, lab: Path, tmp_path: Path) -> None:
    outputs, results = git_says(branches, "push", "--quiet", "origin", "other")
    assert outputs.startswith("lab has the outputs now: ")
    assert results.startswith("origin has the results now: runs, notes")
    there = Repo(tmp_path / "there")
    branches.git("clone", "--quiet", "--branch", "other", str(remote.path), str(there.path))
    there.git("config", "pivot-remote.lab.url", str(lab))
    there.pivot("pull").expect(0)
    assert there.read("processed.json") == branches.read("processed.json")


def test_outputs_go_with_a_commit_that_has_no_note_too(branches: Repo, remote: Repo, lab: Path) -> None:
    """As one that was made before the hooks were installed."""
    branches.git("update-ref", "-d", "refs/notes/pivot")
    said = git_says(branches, "push", "--quiet", "origin", "other")
    assert [line.partition(":")[0] for line in said[-2:]] == ["lab has the outputs now", "origin has the results now"]


def test_results_without_their_outputs_stay_here_and_the_push_goes_on(branches: Repo, remote: Repo, lab: Path) -> None:
    break_store(lab)
    (said,) = git_says(branches, "push", "--quiet", "origin", "main")
    assert said.startswith("the outputs were not pushed to lab: ")
    assert refs(remote) == {"refs/heads/main"}


def test_a_required_remote_that_cannot_be_reached_stops_the_push(branches: Repo, remote: Repo, lab: Path) -> None:
    break_store(lab)
    branches.git("config", "pivot-remote.lab.required", "true")
    branches.git("push", "--quiet", "origin", "main", code=1)
    assert not refs(remote)
    branches.git("push", "--quiet", "--no-verify", "origin", "main")
    assert refs(remote) == {"refs/heads/main"}
