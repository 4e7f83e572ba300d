"""What pages take for granted, by the name that they ask for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def monorepo(desk: Path) -> Path:
    """A copy of the example of three teams, in the folder that the reader works in."""
    return Path(shutil.copytree(EXAMPLES / "monorepo", desk, dirs_exist_ok=True))
