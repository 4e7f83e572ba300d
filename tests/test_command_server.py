"""A command that the server of the tests forks is, for its caller, one that was started as a user starts it."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.commands import can_fork, run_forked
from tests.support.repository import PIVOT, Repo


def started(repo: Repo, *args: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*PIVOT, *args], cwd=repo.path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def forked(repo: Repo, *args: str, timeout: float = 60) -> tuple[int, str, str]:
    assert can_fork(os.environ)
    return run_forked(args, repo.path, os.environ, timeout)


@pytest.mark.parametrize(
    "words",
    [(), ("status",), ("status", "--json"), ("nonsense",), ("log",), ("show", "--json"), ("repro", "-n"), ("get", "x")],
    ids=" ".join,
)
def test_it_says_the_same_and_ends_with_the_same_code(front_page: Repo, words: tuple[str, ...]) -> None:
    assert forked(front_page, *words) == started(front_page, *words)


def test_it_is_in_the_folder_and_has_the_environment_of_its_caller(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("sub/pipeline.py", "import os\nraise ValueError(os.getcwd(), os.environ['HERE'])\n")
    monkeypatch.setenv("HERE", "só")
    code, out, err = run_forked(("status",), repo.path / "sub", os.environ, 60)
    assert code == 2, (out, err)
    assert str(repo.path / "sub") in err and "só" in err


def test_it_writes_with_the_umask_of_its_caller(front_page: Repo) -> None:
    before = os.umask(0o027)
    try:
        assert forked(front_page, "repro")[0] == 0
    finally:
        os.umask(before)
    assert (front_page.path / "clean.json").stat().st_mode & 0o777 & 0o027 == 0


def test_one_that_takes_too_long_is_ended(repo: Repo) -> None:
    repo.write("pipeline.py", "import time\ntime.sleep(60)\n")
    with pytest.raises(subprocess.TimeoutExpired):
        forked(repo, "status", timeout=1)


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "LC_ALL", "LANG"])
def test_what_an_interpreter_reads_when_it_starts_is_not_left_out(name: str) -> None:
    assert not can_fork({**os.environ, name: "other"})
