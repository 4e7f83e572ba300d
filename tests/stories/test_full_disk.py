"""A disk without room: a sentence and no traceback, nothing recorded is lost, and the next run is right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pivot.files import TEMP_PREFIX
from tests.support.examples import DATA, HELPER
from tests.support.repository import PIVOT, Repo, Result
from tests.support.stories import ran, settled
from tests.torture.project import TEN_MINUTES_LATER

BLOCK = 4096
LARGE = """
import random
from typing import Annotated

import pivot

pipeline = pivot.Pipeline("large")

@pipeline.register
def large() -> Annotated[str, pivot.Out("large.txt")]:
    return random.Random("{letter}").randbytes(150_000).hex()
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Repo]:
    """A repository with the example, run, on a file system of 3 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    try:
        repo = Repo.init(path)
        repo.write("data.json", DATA)
        repo.write("pipeline.py", HELPER)
        repo.commit("the example", "data.json", "pipeline.py")
        ran(repo)
        yield repo
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def limited(repo: Repo) -> Repo:
    """The example, run, for commands that may write no byte into any file: a full disk for those who are not root."""
    repo.write("data.json", DATA)
    repo.write("pipeline.py", HELPER)
    repo.commit("the example", "data.json", "pipeline.py")
    ran(repo)
    repo.replace("pipeline.py", "value / top", "2 * value / top")
    return repo


def without_room(repo: Repo, *words: str) -> Result:
    """Run the command where each write fails and no folder for temporary files can be used."""
    return repo.run("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *PIVOT, *words)


def fill(repo: Repo, blocks: int) -> None:
    """Leave room for so many blocks."""
    free = os.statvfs(repo.path).f_bavail
    with (repo.path / "fill").open("wb") as file:
        file.write(bytes(BLOCK * (free - blocks)))


@pytest.mark.parametrize("blocks", [0, 5, 16])
def test_without_room_a_run_ends_in_a_sentence_and_the_next_one_is_right(small: Repo, blocks: int) -> None:
    small.replace("pipeline.py", "value / top", "2 * value / top")
    small.git("commit", "--quiet", "--all", "--message", "two")
    fill(small, blocks)
    said = small.pivot("repro")
    assert said.code in (0, 1, 2), said
    assert said.code == 0 or "No space left on device" in said.err, said
    (small.path / "fill").unlink()
    ran(small)
    settled(small)
    assert small.pivot("fsck").expect(0).out.endswith("none of them lost something\n")


def test_gc_works_without_a_free_byte_and_frees_what_failed_stages_wrote(small: Repo) -> None:
    small.replace("pipeline.py", "value / top", "value / nothing")
    (small.path / ".git/pivot/failed/stage").mkdir(parents=True)
    (small.path / ".git/pivot/failed/stage/partial").write_bytes(bytes(200 * BLOCK))
    fill(small, 0)
    small.pivot("status").expect(0)
    said = small.pivot("gc").expect(0)
    assert "removed what failed stages had written: 0.8 MiB" in said.err
    assert not small.exists(".git/pivot/failed")
    assert os.statvfs(small.path).f_bavail >= 150
    small.pivot("status").expect(0)


def test_gc_removes_dead_results_without_a_free_byte(small: Repo) -> None:
    for letter in "abc":
        small.write("pipeline.py", LARGE.format(letter=letter))
        small.pivot("repro").expect(0)
    small.git("commit", "--quiet", "--all", "--message", "large")
    fill(small, 0)
    said = small.pivot("gc", "--keep-runs", "0").expect(0)
    assert not said.out.startswith("removed 0 results")
    assert os.statvfs(small.path).f_bavail >= 60
    assert small.pivot("fsck").expect(0).out.endswith("none of them lost something\n")
    assert "1 unchanged" in small.pivot("repro").expect(0).out


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("gc",), ("fsck",), ("log",), ("du",)])
def test_commands_that_record_nothing_work_where_nothing_can_be_written(limited: Repo, words: tuple[str, ...]) -> None:
    without_room(limited, *words).expect(0)
    assert not list(limited.path.rglob(f"{TEMP_PREFIX}*"))


def test_a_run_where_nothing_can_be_written_ends_in_a_sentence(limited: Repo) -> None:
    said = without_room(limited, "repro").expect(2)
    assert "Raise the limit on the size of files" in said.err
    assert "Traceback" not in said.err
    ran(limited)
    assert not list(limited.path.rglob(f"{TEMP_PREFIX}*"))


def test_gc_removes_what_killed_commands_were_writing(repo: Repo) -> None:
    repo.write("pipeline.py", HELPER)
    repo.write("data.json", DATA)
    ran(repo)
    places = ["pivot", "pivot/cache", "pivot/cache/code", "pivot/tmp", "pivot/store.git", "pivot/store.git/tmp", "info"]
    left = [repo.write(f".git/{place}/{TEMP_PREFIX}1-{'a' * 8}", "half") for place in places]
    repo.pivot("gc").expect(0)
    assert all(path.exists() for path in left), "a command that lives may be writing them"
    repo.run(sys.executable, "-P", "-c", TEN_MINUTES_LATER, "gc").expect(0)
    assert not [path for path in left if path.exists()]
