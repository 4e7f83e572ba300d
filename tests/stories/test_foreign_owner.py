"""Of a repository that another user owns no file below its Git folder is read before Git has agreed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

# The command in a process that does not own the repository, as Python and Git see it. Each file below `.git` that
# Python opens is named; Git reads its files in a process of its own.
WATCHED = """
import os, sys
git_dir, *sys.argv = sys.argv[1:]
def watch(event, arguments):
    path = arguments[0] if event == "open" else 0
    if not isinstance(path, int) and os.path.abspath(os.fsdecode(path)).startswith(git_dir):
        print("READ", arguments[0], file=sys.__stderr__)
from pivot.cli.entry import main
os.geteuid = lambda: 4242
sys.addaudithook(watch)
main()
"""
COMMANDS = {
    "repro": ["repro"],
    "status": ["status"],
    "completion": ["__complete", "repro", ""],
    "after a switch": ["hook", "post-checkout", "0" * 40, "HEAD", "1"],
    "after a commit": ["hook", "post-commit"],
    "gc": ["gc"],
    "show": ["show"],
}


def reads(repo: Repo, arguments: list[str], environment: dict[str, str]) -> list[str]:
    """The files below `.git` that a command opens itself, as one who does not own the repository."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", WATCHED, str(repo.path / ".git/"), "git-pivot", *arguments],
        cwd=repo.path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "planted" not in done.stdout + done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("READ")]


@pytest.fixture
def planted(front_page: Repo) -> Repo:
    """A repository that was used by its owner: all caches are there."""
    ran(front_page)
    front_page.pivot("repro").expect(0)
    front_page.write(".git/pivot/cache/names/planted", f"{front_page.path}/pipeline.py\nplanted\n")
    return front_page


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_nothing_is_read_before_the_owner_is_known(planted: Repo, arguments: list[str]) -> None:
    assert reads(planted, arguments, {**os.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}) == []


@pytest.mark.parametrize("arguments", [COMMANDS["repro"], COMMANDS["status"]], ids=["repro", "status"])
def test_a_repository_that_git_trusts_is_read(planted: Repo, arguments: list[str]) -> None:
    assert reads(planted, arguments, dict(os.environ))
