"""Repositories that the stories start from."""

from __future__ import annotations

import pytest

from tests.support.examples import DATA, FRONT_PAGE, HELPER
from tests.support.repository import Repo


@pytest.fixture
def front_page(repo: Repo) -> Repo:
    """The front page's example, both files committed, nothing run yet."""
    repo.write("data.json", DATA)
    repo.write("pipeline.py", FRONT_PAGE)
    repo.commit("the example")
    return repo


@pytest.fixture
def helper_page(repo: Repo) -> Repo:
    """The front page's second example: a helper next to the stage that calls it."""
    repo.write("data.json", DATA)
    repo.write("pipeline.py", HELPER)
    repo.commit("the example")
    return repo
