"""How stages are run: resources, mutexes, timeouts, retries, budgets, forecasts, output."""

from __future__ import annotations

import pytest

from tests.cli.test_repro import most_at_once
from tests.support.repository import Repo
from tests.support.stories import endings, ran

BUSY = """
import time
from typing import Annotated
from pivot import Out, Pipeline

def one() -> Annotated[str, Out("1.txt")]:
    return busy()

def two() -> Annotated[str, Out("2.txt")]:
    return busy()

def three() -> Annotated[str, Out("3.txt")]:
    return busy()

def busy():
    print("begin", time.monotonic())
    time.sleep(0.2)
    print("end", time.monotonic())
    return ""

pipeline = Pipeline("busy")
for stage in (one, two, three):
    pipeline.register(stage, OPTIONS)
"""


def busy(repo: Repo, options: str) -> Repo:
    repo.write("pipeline.py", BUSY.replace("OPTIONS", options))
    return repo


def test_stages_share_a_resource_up_to_its_limit(repo: Repo) -> None:
    busy(repo, "resources={'memory_gb': 4}")
    repo.git("config", "pivot.resources.memory-gb", "8")
    assert most_at_once(repo, 3) == 2


def test_stages_with_one_mutex_do_not_run_together(repo: Repo) -> None:
    assert most_at_once(busy(repo, "mutex='db'"), 3) == 1


def test_a_stage_alone_runs_beside_no_other(repo: Repo) -> None:
    assert most_at_once(busy(repo, "mutex='*' if stage is one else None, priority=-int(stage is one)"), 3) == 2


def test_a_stage_that_needs_more_than_there_is_is_refused_before_anything_runs(repo: Repo) -> None:
    busy(repo, "resources={'gpu': 2 if stage is two else 1}")
    repo.git("config", "pivot.resources.gpu", "1")
    said = repo.pivot("repro").expect(2).err
    assert "two needs 2 of gpu, and there is 1" in said
    assert "git config pivot.resources.gpu 2" in said
    assert not repo.exists("1.txt")


def test_a_limit_that_is_no_number_is_named(repo: Repo) -> None:
    busy(repo, "priority=1")
    repo.git("config", "pivot.resources.gpu", "many")
    assert "pivot.resources.gpu is 'many'" in repo.pivot("repro").expect(2).err


def test_how_a_stage_is_run_is_no_reason_to_run_it(repo: Repo) -> None:
    ran(busy(repo, "priority=0"))
    busy(repo, "priority=1, mutex='db', resources={'gpu': 1}, timeout='5m', retries=2")
    assert set(endings(repo).values()) == {"unchanged"}


def test_the_higher_priority_starts_first(repo: Repo) -> None:
    busy(repo, "priority=[one, three, two].index(stage)")
    assert ran(repo, "--jobs", "1") == ["two", "three", "one"]


def test_a_stage_over_its_time_fails_and_says_so(repo: Repo) -> None:
    busy(repo, "timeout=0.05 if stage is two else None")
    assert endings(repo, "--keep-going", code=1) == {"one": "ran", "two": "failed", "three": "ran"}
    assert "it ran for more than 0.05 s" in repo.pivot("repro", "two").expect(1).out


FLAKY = """
from pathlib import Path
from typing import Annotated
from pivot import Out, Pipeline

def flaky() -> Annotated[str, Out("out.txt")]:
    marks = Path(MARKS)
    marks.write_text(marks.read_text() + "x" if marks.exists() else "x")
    if len(marks.read_text()) < 3:
        raise RuntimeError("not yet")
    return "done"

pipeline = Pipeline("flaky")
pipeline.register(flaky, retries=RETRIES)
"""


def flaky(repo: Repo, retries: int) -> Repo:
    marks = repr(str(repo.path.parent / "marks"))
    repo.write("pipeline.py", FLAKY.replace("MARKS", marks).replace("RETRIES", str(retries)))
    return repo


def test_a_failed_stage_is_tried_again_and_the_record_says_how_often(repo: Repo) -> None:
    said = flaky(repo, 2).pivot("repro").expect(0).out
    assert said.count("failed; tries again in") == 2
    infos = [path for path in repo.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").split() if "/info/" in path]
    assert '"tries":3' in repo.git("show", f"refs/pivot/runs:{infos[0]}")


def test_after_the_last_try_a_stage_has_failed(repo: Repo) -> None:
    said = flaky(repo, 1).pivot("repro").expect(1).out
    assert said.count("failed; tries again in") == 1
    assert "flaky: FAILED" in said


CHAIN = """
import time
from typing import Annotated
from pivot import Dep, Out, Pipeline

def slow() -> Annotated[str, Out("slow.txt")]:
    time.sleep(0.4)
    return WORD

def after(text: Annotated[str, Dep("slow.txt")]) -> Annotated[str, Out("after.txt")]:
    return text

def quick() -> Annotated[str, Out("quick.txt")]:
    return WORD

pipeline = Pipeline("chain")
for stage in (slow, after, quick):
    pipeline.register(stage)
"""


@pytest.fixture
def timed(repo: Repo) -> Repo:
    """A slow chain and a quick stage, run once, and all to be run again."""
    repo.write("pipeline.py", CHAIN.replace("WORD", "'a'"))
    ran(repo)
    repo.write("pipeline.py", CHAIN.replace("WORD", "'b'"))
    return repo


def test_what_does_not_fit_into_the_budget_is_not_started(timed: Repo) -> None:
    events = timed.pivot("repro", "--json", "--budget", "0.3s").expect(0).events()
    ended = {event["stage"]: (event["ending"], event["message"]) for event in events if event["event"] == "ended"}
    assert {stage: ending for stage, (ending, _) in ended.items()} == {
        "quick": "ran", "slow": "skipped", "after": "skipped",
    }  # fmt: skip
    assert "--budget" in ended["slow"][1]
    assert ran(timed, "--budget", "5m") == ["slow", "after"]


def test_a_budget_that_is_no_time_is_refused(timed: Repo) -> None:
    assert "'soon' is no time" in timed.pivot("repro", "--budget", "soon").expect(2).err


def test_a_dry_run_forecasts_from_past_runs(timed: Repo) -> None:
    said = timed.pivot("repro", "--dry-run").expect(0).out
    assert "expected: 0.4" in said
    assert "longest chain: slow > after (0.4" in said
    shown = timed.pivot("repro", "--dry-run", "--json").expect(0).json()["forecast"]
    assert (shown["chain"], shown["unknown"], 0.4 <= shown["seconds"] < 2) == (["slow", "after"], 0, True)


def test_a_dry_run_says_nothing_of_time_where_nothing_is_known(repo: Repo) -> None:
    repo.write("pipeline.py", CHAIN.replace("WORD", "'a'"))
    assert "expected" not in repo.pivot("repro", "--dry-run").expect(0).out


LOUD = """
from typing import Annotated
from pivot import Out, Pipeline

def loud() -> Annotated[str, Out("loud.txt")]:
    for number in range(30):
        print("line", number)
    if FAILS:
        raise ValueError("too loud")
    return ""

def calm() -> Annotated[str, Out("calm.txt")]:
    return ""

pipeline = Pipeline("loud")
pipeline.register(loud)
pipeline.register(calm)
"""


def loud(repo: Repo, *, fails: bool) -> Repo:
    repo.write("pipeline.py", LOUD.replace("FAILS", str(fails)))
    return repo


def test_a_failure_shows_the_last_twenty_lines(repo: Repo) -> None:
    said = loud(repo, fails=True).pivot("repro", "--quiet", "loud").expect(1).out
    assert "Output (last 20 lines):" in said
    assert ("    line 10\n" in said, "    line 9\n" in said, "    line 29\n" in said) == (True, False, True)


def test_quiet_is_silent_about_what_goes_well(repo: Repo) -> None:
    said = loud(repo, fails=False).pivot("repro", "--quiet").expect(0).out
    assert said.splitlines()[0].startswith("2 ran, 0 restored")


def test_verbose_tells_of_every_stage_and_every_reason(repo: Repo) -> None:
    ran(loud(repo, fails=False))
    repo.replace("pipeline.py", "range(30)", "range(2)")
    said = repo.pivot("repro", "--verbose").expect(0).out
    assert "calm: unchanged" in said
    assert "func:loud" in said


def test_logs_shows_what_the_last_run_printed(repo: Repo) -> None:
    ran(loud(repo, fails=False))
    assert repo.pivot("logs", "loud").expect(0).out.splitlines()[-1] == "line 29"
    assert "calm printed nothing" in repo.pivot("logs", "calm").expect(0).err
    assert "Did you mean loud?" in repo.pivot("logs", "luod").expect(2).err


def test_logs_lists_the_runs_kept(repo: Repo) -> None:
    ran(loud(repo, fails=False))
    ran(repo, "--force", "loud")
    assert len(repo.pivot("logs", "loud", "--list").expect(0).out.splitlines()) == 2


def test_logs_without_a_stage_tells_which_ones_have_logs(repo: Repo) -> None:
    assert "no stage printed anything" in loud(repo, fails=False).pivot("logs").expect(0).err
    ran(repo)
    repo.replace("pipeline.py", 'return ""', 'print("calm")\n    return ""')
    ran(repo)
    ran(repo, "--force", "calm")
    assert repo.pivot("logs").expect(0).out.splitlines() == ["calm", "loud"]
    assert len(repo.pivot("logs", "--list").expect(0).out.splitlines()) == 4
    assert "--follow stays with one stage" in repo.pivot("logs", "--follow").expect(2).err


def test_logs_follows_a_running_stage_until_it_ends(repo: Repo) -> None:
    busy(repo, "mutex='db'")
    with repo.start_pivot("repro", "--jobs", "1") as run:
        followed = repo.pivot("logs", "one", "--follow").expect(0).out
        assert run.wait(30) == 0
    assert [line.split()[0] for line in followed.splitlines()] == ["begin", "end"]
