"""A long history costs a look-up nothing, and a flush next to nothing: counted in objects read, not in seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.git.odb.backend import Author
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.history.run_log import RunHistory, read_entries
from pivot.state.run_cache import RunCache
from tests.support.repository import Repo
from tests.support.samples import finished, record

EPOCH = 1_767_225_600  # when the runs of the samples begin
FEW, MANY = 100, 3000


def author(number: int) -> Author:
    return Author("Ada", "ada@example.com", EPOCH + number)


class Counting(LibgitBackend):
    """Counts the objects that are read."""

    def __init__(self, git_dir: Path, common_dir: Path) -> None:
        super().__init__(git_dir, common_dir)
        self.count = 0

    def read(self, oid: str, most: int | None = None) -> tuple[str, bytes]:
        self.count += 1
        return super().read(oid, most)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Repo]:
    """Repositories with few and with many records, refs packed, the last 50 brought by a commit each."""
    made = {}
    for size in (FEW, MANY):
        repo = made[size] = Repo.init(tmp_path_factory.mktemp("long") / str(size))
        backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
        runs = RunCache(backend)
        runs.flush([finished(number, second=number) for number in range(size - 50)], "before", author(size - 50))
        for number in range(size - 50, size):
            runs.flush([finished(number, second=number)], "lately", author(number))
        backend.close()
        repo.git("gc", "--quiet")
    return made


def reads(repo: Repo, work: Callable[[Counting], object]) -> int:
    """How many objects some work reads in a repository that was just opened."""
    backend = Counting(repo.path / ".git", repo.path / ".git")
    assert work(backend)
    backend.close()
    return backend.count


def test_a_look_up_reads_as_much_with_few_records_as_with_many(long: dict[int, Repo]) -> None:
    def look(backend: Counting) -> object:
        return RunCache(backend).lookup(record(7).fingerprint)

    assert 0 < reads(long[FEW], look) == reads(long[MANY], look) < 10


def test_a_flush_reads_no_more_than_the_folders_that_it_touches(long: dict[int, Repo], tmp_path: Path) -> None:
    shutil.copytree(long[MANY].path, tmp_path / "copy")

    def flush(backend: Counting) -> object:
        return RunCache(backend).flush([finished(1_000_000 + n) for n in range(100)], "new", author(9000))

    # For each record a folder of `runs` and one of `code`, and what leads there.
    assert reads(Repo(tmp_path / "copy"), flush) <= 2 * 100 + 10


def test_the_newest_runs_are_read_without_the_whole_history(long: dict[int, Repo]) -> None:
    def newest(backend: Counting) -> object:
        runs = RunHistory(backend).runs()
        return [next(runs) for _ in range(10)]

    assert reads(long[MANY], newest) < 150


def test_every_run_of_a_long_history_is_told(long: dict[int, Repo]) -> None:
    backend = LibgitBackend(long[FEW].path / ".git", long[FEW].path / ".git")
    assert len(read_entries(RunHistory(backend).runs())) == FEW
    backend.close()
