"""A handful of the trials of `make torture`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.trial import make_repo, torture


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_left_when_commands_are_killed(tmp_path: Path, seed: int) -> None:
    repo, chance = make_repo(tmp_path), random.Random(seed)
    for _ in range(2):
        torture(repo, chance)
