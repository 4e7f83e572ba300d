"""Results reach other clones: what one has run, nobody runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran, settled


@pytest.fixture
def server(helper_page: Repo, tmp_path: Path) -> Repo:
    """A bare repository without results."""
    return helper_page.clone(tmp_path / "server.git", "--bare")


def clone(server: Repo, name: str, *options: str) -> Repo:
    """A clone that keeps its outputs where all others do, as on a shared disk."""
    made = Repo(server.path.with_name(name))
    server.git("clone", "--quiet", *options, f"file://{server.path}", str(made.path))
    made.git("config", "pivot.store", str(server.path.with_name("outputs.git")))
    return made


def edit(repo: Repo, factor: str) -> None:
    repo.replace("pipeline.py", "value / top", f"{factor} * value / top")


def test_a_fresh_clone_sees_all_results_after_a_pull(server: Repo) -> None:
    one = clone(server, "one")
    ran(one)
    assert "new there: runs, notes" in one.pivot("push").expect(0).out
    two = clone(server, "two")
    two.pivot("init").expect(0)
    assert "new here: runs, notes" in two.pivot("pull").expect(0).out
    settled(two)
    assert two.pivot("show", "--json").json() == one.pivot("show", "--json").json()
    assert "nothing new" in two.pivot("push").expect(0).out


def test_after_init_a_plain_fetch_brings_results(server: Repo) -> None:
    one = clone(server, "one")
    ran(one)
    one.pivot("push").expect(0)
    two = clone(server, "two")
    two.pivot("init").expect(0)
    two.git("fetch", "--quiet")
    settled(two)


@pytest.mark.parametrize("option", ["--depth=1", "--filter=blob:none", "--filter=tree:0", "--single-branch"])
def test_any_kind_of_clone_goes_on_from_the_results_of_others(server: Repo, option: str) -> None:
    server.git("config", "uploadpack.allowFilter", "true")
    one = clone(server, "one")
    ran(one)
    one.pivot("push").expect(0)
    two = clone(server, "two", option)
    two.pivot("pull").expect(0)
    settled(two)
    edit(two, "7")
    assert ran(two) == ["process"]
    two.commit("seven")
    settled(two)
    two.git("push", "--quiet")
    two.pivot("push").expect(0)
    one.git("pull", "--quiet", "--ff-only")
    one.pivot("pull").expect(0)
    settled(one)


def test_a_force_pushed_branch_keeps_its_results(server: Repo) -> None:
    one, two = clone(server, "one"), clone(server, "two")
    edit(one, "2")
    ran(one)
    one.commit("first try")
    one.git("push", "--quiet")
    two.git("pull", "--quiet")
    edit(one, "3")
    ran(one)
    one.git("commit", "--quiet", "--all", "--amend", "--message", "second try")
    settled(one)
    one.git("push", "--quiet", "--force")
    one.pivot("push").expect(0)
    two.git("fetch", "--quiet")
    two.git("reset", "--quiet", "--hard", "@{upstream}")
    two.pivot("pull").expect(0)
    settled(two)


def test_two_clones_that_push_at_once_lose_nothing(server: Repo) -> None:
    both = [clone(server, "one"), clone(server, "two")]
    for number in range(3):
        for repo, factor in zip(both, ("1", "2"), strict=True):
            edit(repo, f"{factor}{number}")
            ran(repo)
        pushes = [repo.start_pivot("push") for repo in both]
        said = [push.communicate(timeout=60) for push in pushes]
        assert [push.returncode for push in pushes] == [0, 0], said
    for repo in both:
        repo.pivot("pull").expect(0)
    trees = {repo.git("rev-parse", "refs/pivot/runs^{tree}") for repo in both}
    assert len(trees) == 1
    runs = both[0].pivot("log", "process", "-n", "100", "--json").json()["runs"]
    assert len({run["fingerprint"] for run in runs}) == 6
    assert ran(both[1]) == []


def test_a_server_that_takes_no_results_is_named_with_its_reason(server: Repo) -> None:
    server.git("config", "--add", "transfer.hideRefs", "refs/pivot")
    server.git("config", "--add", "transfer.hideRefs", "refs/notes")
    one = clone(server, "one")
    ran(one)
    said = one.pivot("push").expect(1).err
    assert "origin does not take results" in said
    assert "hideRefs" in said


def test_without_a_remote_the_next_command_is_named(helper_page: Repo) -> None:
    assert "git remote add origin URL" in helper_page.pivot("push").expect(2).err
