"""The run history: every run once, the newest first, with the run of the same stage before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from pivot.git.odb.backend import Author, Backend
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.git.odb.process_backend import ProgramBackend
from pivot.history.run_log import RunHistory, read_entries
from pivot.state.run_cache import RunCache
from tests.support.repository import Repo
from tests.support.samples import finished, record

# Later than every run of the samples, as a commit is that brings them.
EPOCH = 1_767_225_600  # 2026-01-01 UTC


@pytest.fixture(params=[LibgitBackend, ProgramBackend], ids=["libgit", "program"])
def backend(request: pytest.FixtureRequest, repo: Repo) -> Iterator[Backend]:
    opened: Backend = request.param(repo.path / ".git", repo.path / ".git")
    yield opened
    opened.close()


def flush(backend: Backend, *runs: tuple[int, int], at: int, result: str = "a") -> None:
    """A commit `at` seconds that brings runs: number of the situation and second of its end."""
    made = [finished(number, result, second) for number, second in runs]
    RunCache(backend).flush(made, "repro", Author("Ada", "ada@example.com", EPOCH + at))


def told(backend: Backend, stage: str = "") -> list[tuple[str, int]]:
    """Stage and second of each run, in the order given."""
    runs = RunHistory(backend).runs(stage)
    return [(run.info.stage, int(run.info.finished[-5:-3]) * 60 + int(run.info.finished[-2:])) for run in runs]


def test_nothing_is_told_where_nothing_ran(backend: Backend) -> None:
    assert told(backend) == []


def test_the_newest_run_comes_first(backend: Backend) -> None:
    for second in (1, 3, 7):
        flush(backend, (second, second), at=second)
    assert told(backend) == [("stage7", 7), ("stage3", 3), ("stage1", 1)]
    assert told(backend, "stage3") == [("stage3", 3)]


def test_what_one_commit_brings_is_put_in_order_with_what_others_brought(backend: Backend) -> None:
    flush(backend, (2, 20), at=20)
    flush(backend, (1, 5), (3, 30), (4, 15), at=30)
    assert [second for _, second in told(backend)] == [30, 20, 15, 5]


def test_of_one_second_and_commit_what_reads_what_another_made_is_the_newer(backend: Backend) -> None:
    order = [3, 1, 4, 2, 5]
    made = []
    for before, number in zip([0, *order], order, strict=False):
        one = finished(number, second=1)
        record = structs.replace(one.record, deps={f"out/{before}.json": "a" * 40})
        made.append(dataclasses.replace(one, record=record))
    RunCache(backend).flush(made, "repro", Author("Ada", "ada@example.com", EPOCH + 1))
    assert [stage for stage, _ in told(backend)] == [f"stage{number}" for number in reversed(order)]


def test_runs_of_one_situation_are_told_each_beyond_the_five_that_are_kept(backend: Backend) -> None:
    for second in range(8):
        flush(backend, (1, second), at=second)
    assert [second for _, second in told(backend)] == list(reversed(range(8)))


def test_runs_of_which_the_same_is_said_are_each_told(backend: Backend) -> None:
    said = finished(1, second=1).info
    made = [dataclasses.replace(finished(number, second=1), info=said) for number in (1, 2, 3)]
    RunCache(backend).flush(made, "repro", Author("Ada", "ada@example.com", EPOCH + 1))
    assert len({run.record.fingerprint for run in RunHistory(backend).runs()}) == 3


def test_runs_that_were_fetched_are_told_once(backend: Backend, repo: Repo) -> None:
    flush(backend, (1, 1), at=1)
    repo.git("update-ref", "refs/pivot-remotes/origin/runs", "refs/pivot/runs")
    flush(backend, (2, 2), at=2)
    repo.git("update-ref", "refs/pivot-remotes/fork/runs", "refs/pivot/runs")
    repo.git("update-ref", "refs/pivot/runs", "refs/pivot-remotes/origin/runs")
    assert told(backend) == [("stage2", 2), ("stage1", 1)]


def test_a_shallow_history_tells_what_is_here(backend: Backend, repo: Repo, tmp_path: Path) -> None:
    for second in range(3):
        flush(backend, (second, second), at=second)
    Repo.init(tmp_path / "shallow").git(
        "fetch", "--quiet", "--depth=1", f"file://{repo.path}", "refs/pivot/runs:refs/pivot/runs"
    )
    shallow = type(backend)(tmp_path / "shallow/.git", tmp_path / "shallow/.git")  # type: ignore[call-arg]
    assert [second for _, second in told(shallow)] == [2, 1, 0]
    shallow.close()


def test_the_run_before_is_the_one_of_the_same_stage(backend: Backend) -> None:
    flush(backend, (1, 1), at=1)
    flush(backend, (2, 2), at=2)
    flush(backend, (1, 3), at=3, result="b")
    newest, other = read_entries(RunHistory(backend).runs(), limit=2)
    assert (newest.run.record, newest.before and newest.before.record) == (record(1, "b"), record(1))
    assert not list(newest.reasons()), "both ran in one situation"
    assert (other.run.info.stage, other.before) == ("stage2", None)


def test_a_date_ends_the_list(backend: Backend) -> None:
    for second in range(4):
        flush(backend, (second, second), at=second)
    since = "2026-01-01T00:00:02"
    assert [entry.run.info.stage for entry in read_entries(RunHistory(backend).runs(), since)] == ["stage3", "stage2"]


def test_a_record_that_is_not_what_its_path_says_is_not_told(backend: Backend, repo: Repo) -> None:
    flush(backend, (1, 1), at=1)
    path = next(
        line for line in repo.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").split() if "/info/" in line
    )
    blob = repo.git("rev-parse", f"refs/pivot/runs:{path}")
    fake = f"runs/00/{'0' * 30}.{'1' * 12}"
    env = {"GIT_INDEX_FILE": str(repo.path / ".git/other-index")}
    repo.git("read-tree", "refs/pivot/runs", env=env)
    good = repo.git("rev-parse", f"refs/pivot/runs:{path.partition('/info/')[0]}/record")
    for name, oid in (("record", good), (f"info/{blob[:12]}", blob)):
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{fake}/{name}", env=env)
    tree = repo.git("write-tree", env=env)
    commit = repo.git("commit-tree", "-m", "planted", "-p", "refs/pivot/runs", tree)
    repo.git("update-ref", "refs/pivot/runs", commit)
    assert told(backend) == [("stage1", 1)]
