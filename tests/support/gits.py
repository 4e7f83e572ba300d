"""The newer git, for tests of what the one on PATH has not; `scripts/newer_git.sh` makes it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_FIND = Path(__file__).parents[2] / "scripts" / "newer_git.sh"


def _newer_git() -> str | None:
    found = subprocess.run(["sh", _FIND, "--find"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


# Asked while the tests are collected: within one, the home that has the newer git is sealed off.
NEWER_GIT = _newer_git()

needs_newer_git = pytest.mark.skipif(NEWER_GIT is None, reason="needs git 2.54, which `scripts/newer_git.sh` builds")


def use_newer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the newer git in front on PATH, for the test and for all that it starts."""
    monkeypatch.setenv("PATH", f"{NEWER_GIT}{os.pathsep}{os.environ['PATH']}")
