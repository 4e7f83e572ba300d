"""The options of `repro`: which stages, and whether at all."""

from __future__ import annotations

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

CHAIN = """
from typing import Annotated
import pivot

def a(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[str, pivot.Out("out/a.txt")]:
    return raw + "a"

def b(text: Annotated[str, pivot.Dep("out/a.txt")]) -> Annotated[str, pivot.Out("out/b.txt")]:
    return text + "b"

def c(text: Annotated[str, pivot.Dep("out/b.txt")]) -> Annotated[str, pivot.Out("out/c.txt")]:
    return text + "c"

def alone() -> Annotated[str, pivot.Out("alone.txt")]:
    return "alone"

pipeline = pivot.Pipeline("chain")
for stage in (a, b, c, alone):
    pipeline.register(stage)
"""


@pytest.fixture
def chain(repo: Repo) -> Repo:
    repo.write("raw.txt", "raw")
    repo.write("pipeline.py", CHAIN)
    repo.commit("chain")
    return repo


@pytest.mark.parametrize(
    ("targets", "stages"),
    [
        (["b"], ["a", "b"]),
        (["out/b.txt"], ["a", "b"]),
        (["out/*.txt"], ["a", "b", "c"]),
        (["a+"], ["a", "b", "c"]),
        (["alone", "a"], ["a", "alone"]),
        ([], ["a", "alone", "b", "c"]),
    ],
)
def test_targets_run_with_their_upstreams(chain: Repo, targets: list[str], stages: list[str]) -> None:
    assert sorted(ran(chain, *targets)) == stages


def test_force_runs_the_named_stage_and_no_other(chain: Repo) -> None:
    ran(chain)
    assert endings(chain, "--force", "b") == {"a": "unchanged", "b": "ran"}
    assert sorted(ran(chain, "--force")) == ["a", "alone", "b", "c"]


def test_single_runs_a_stage_on_what_stands_there(chain: Repo) -> None:
    ran(chain)
    chain.write("raw.txt", "other")
    assert endings(chain, "--single", "b") == {"b": "unchanged"}
    assert chain.read("out/b.txt") == "rawab"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(chain: Repo) -> None:
    said = chain.pivot("repro", "--dry-run").expect(0).out
    assert "would run: a (never run here)" in said
    assert "would wait: b" in said
    assert not chain.exists("alone.txt")
    assert not chain.exists(".git/refs/pivot/runs")


def test_jobs_bound_how_many_run_at_a_time(repo: Repo) -> None:
    repo.write(
        "pipeline.py",
        """
        import os, time
        from pathlib import Path
        from typing import Annotated
        import pivot

        def make(number):
            def stage() -> Annotated[str, pivot.Out("x.txt")]: ...
            return stage

        def one() -> Annotated[str, pivot.Out("1.txt")]:
            return busy()

        def two() -> Annotated[str, pivot.Out("2.txt")]:
            return busy()

        def three() -> Annotated[str, pivot.Out("3.txt")]:
            return busy()

        def busy():
            print("begin", time.monotonic())
            time.sleep(0.3)
            print("end", time.monotonic())
            return ""

        pipeline = pivot.Pipeline("busy")
        for stage in (one, two, three):
            pipeline.register(stage)
        """,
    )
    assert most_at_once(repo, 1) == 1
    assert most_at_once(repo, 3) == 3


def most_at_once(repo: Repo, jobs: int) -> int:
    events = repo.pivot("repro", "--force", "--json", "--jobs", str(jobs)).expect(0).events()
    marks = [event["line"].split() for event in events if event["event"] == "printed"]
    steps = sorted((float(at), 1 if kind == "begin" else -1) for kind, at in marks)
    running = [sum(step for _, step in steps[: end + 1]) for end in range(len(steps))]
    return max(running)


def test_json_gives_one_document_a_line_and_ends_with_the_totals(chain: Repo) -> None:
    events = chain.pivot("repro", "--json").expect(0).events()
    assert events[0]["event"] == "planned"
    assert {key: events[-1][key] for key in ("event", "ran", "failed", "ok")} == {
        "event": "run-ended", "ran": 4, "failed": 0, "ok": True,
    }  # fmt: skip


def test_an_unknown_stage_names_the_closest(chain: Repo) -> None:
    said = chain.pivot("repro", "alnoe").expect(2).err
    assert "no stage, output, folder or glob matches alnoe" in said
    assert "Did you mean alone?" in said


def test_an_unknown_command_names_the_closest(chain: Repo) -> None:
    assert "Did you mean `git pivot repro`?" in chain.pivot("rpero").expect(2).err
