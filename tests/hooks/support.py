"""A project whose two branches differ in code and outputs, with the real hooks installed by the real command."""

from __future__ import annotations

from tests.support.repository import Repo
from tests.support.stories import ran


def change_process(repo: Repo) -> None:
    repo.replace("pipeline.py", "value / top", "2 * value / top")


def git_says(repo: Repo, *args: str) -> list[str]:
    """What Pivot's hooks say during a call of git that works."""
    said = repo.run("git", *args).expect(0).err
    return [line.removeprefix("pivot: ") for line in said.splitlines() if line.startswith("pivot: ")]


def two_branches(repo: Repo) -> Repo:
    """`main` and `other`, both run and noted; `other` is checked out. They differ in processed.json."""
    assert sorted(ran(repo)) == ["count", "process"]
    repo.git("switch", "--quiet", "--create", "other")
    change_process(repo)
    assert ran(repo) == ["process"]
    repo.commit("on other")
    assert ran(repo) == []
    repo.pivot("hooks", "install").expect(0)
    return repo
