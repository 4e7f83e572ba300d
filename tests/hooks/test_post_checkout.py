"""Switching branches through real git and the installed hook: outputs follow, and nothing is lost on the way."""

from __future__ import annotations

import pytest

from tests.hooks.support import git_says, two_branches
from tests.support.repository import Repo


@pytest.fixture
def branches(helper_page: Repo) -> Repo:
    return two_branches(helper_page)


def test_outputs_follow_the_branch_there_and_back_and_nothing_is_left_to_run(branches: Repo) -> None:
    other = branches.read("processed.json")
    assert git_says(branches, "switch", "main") == ["other -> main: 1 output restored, 1 unchanged"]
    main = branches.read("processed.json")
    assert "keep" in str({e["action"] for e in branches.pivot("status", "--json").json()["stages"]})
    git_says(branches, "switch", "other")
    assert (branches.read("processed.json"), main != other) == (other, True)
