"""A disk without room: a sentence and no traceback, nothing recorded is lost, and the next run is right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.examples import DATA, HELPER
from tests.support.repository import Repo
from tests.support.stories import ran, settled

BLOCK = 4096


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
