"""Edit, save, see the result: a watch left running beside an editor, other commands and Git."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import time

import pytest

from tests.support.repository import PIVOT, Repo
from tests.support.stories import settled
from tests.support.watching import Watching, processes_in, watching

PIPELINE = """
from typing import Annotated
from pivot import Dep, Out, Pipeline
from helper import shout

def first(text: Annotated[str, Dep("data/words.txt")]) -> Annotated[str, Out("first.txt")]:
    return shout(text)

def second(text: Annotated[str, Dep("first.txt")]) -> Annotated[str, Out("second.txt")]:
    return text.lower()

pipeline = Pipeline("words")
pipeline.register(first)
pipeline.register(second)
"""
HELPER = "def shout(text):\n    return text.upper()\n"

# Each stage waits for a file that the test makes; `quick` ends at once.
SLOW = """
import pathlib, time
from typing import Annotated
from pivot import Dep, Out, Pipeline
from left import one
from right import two

def wait(name):
    print("waits", name)
    while not pathlib.Path(".git", name).exists():
        time.sleep(0.02)

def quick() -> Annotated[str, Out("quick.txt")]:
    return "quick"

def slow_left(text: Annotated[str, Dep("quick.txt")]) -> Annotated[str, Out("left.txt")]:
    wait("left")
    return one()

def slow_right(text: Annotated[str, Dep("quick.txt")]) -> Annotated[str, Out("right.txt")]:
    wait("right")
    return two()

pipeline = Pipeline("slow")
for stage in (quick, slow_left, slow_right):
    pipeline.register(stage)
"""


@pytest.fixture
def words(repo: Repo) -> Repo:
    repo.write("pipeline.py", PIPELINE)
    repo.write("helper.py", HELPER)
    repo.write("data/words.txt", "Some words")
    repo.commit("words")
    return repo


def test_a_save_runs_what_it_reaches_and_nothing_else(words: Repo) -> None:
    with watching(words) as watch:
        assert watch.round() == {"first": "ran", "second": "ran"}
        words.replace("helper.py", "upper", "title")
        assert watch.until("changed")["paths"] == ["helper.py"]
        assert watch.round() == {"first": "ran", "second": "ran"}
        words.write("data/words.txt", "some WORDS")
        assert watch.until("changed")["paths"] == ["data/words.txt"]
        assert watch.round() == {"first": "ran", "second": "unchanged"}
        assert words.read("first.txt") == "Some Words"
        assert watch.end() == 130
    words.commit()
    settled(words)


def test_saves_in_a_burst_are_one_plan(words: Repo) -> None:
    words.git("config", "pivot.watchDebounce", "500")
    with watching(words) as watch:
        watch.round()
        for text in ("one", "two", "three"):
            words.write("data/words.txt", text)
            words.write("helper.py", HELPER + f"# {text}\n")
        assert watch.until("changed")["paths"] == ["data/words.txt", "helper.py"]
        watch.round()
        assert watch.kinds().count("planned") == 2
        assert words.read("second.txt") == "three"


def test_what_is_not_read_starts_nothing(words: Repo) -> None:
    with watching(words) as watch:
        watch.round()
        words.git("tag", "some-tag")
        words.git("status")
        for path in ("notes.md", "other.py", "data/.words.txt.swp", "data/words.txt~", "run.log", "second.txt"):
            words.write(path, "text")
        words.write("helper.py.tmp", HELPER).replace(words.path / "helper.py")  # as editors save
        assert watch.until("changed")["paths"] == ["helper.py"]


def test_a_syntax_error_is_shown_and_the_next_save_mends_it(words: Repo) -> None:
    with watching(words) as watch:
        watch.round()
        words.write("helper.py", "def shout(text):\n    return text.\n")
        assert "SyntaxError" in watch.until("unplanned")["text"]
        words.write("helper.py", HELPER.replace("upper", "title"))
        assert watch.round() == {"first": "ran", "second": "ran"}


def test_a_switch_of_branches_brings_the_outputs_of_the_other(words: Repo) -> None:
    with watching(words) as watch:
        watch.round()
        words.git("switch", "-qc", "other")
        words.replace("helper.py", "upper", "title")
        watch.round()
        words.commit("titles")
        words.git("switch", "-q", "main")
        while words.read("first.txt") != "SOME WORDS":
            watch.round()
        words.git("switch", "-q", "other")
        while words.read("first.txt") != "Some Words":
            watch.round()
        assert [event["ending"] for event in watch.heard if event["event"] == "ended"].count("ran") == 4


def test_a_change_while_stages_run_ends_only_those_that_it_reaches(repo: Repo) -> None:
    repo.write("pipeline.py", SLOW)
    repo.write("left.py", "def one():\n    return 'left'\n")
    repo.write("right.py", "def two():\n    return 'right'\n")
    with watching(repo, "--jobs", "2") as watch:
        assert {watch.until("printed")["line"] for _ in range(2)} == {"waits left", "waits right"}
        repo.replace("left.py", "'left'", "'new left'")
        watch.until("noticed", stage="slow_left")
        watch.until("printed", line="waits left")
        for name in ("left", "right"):
            (repo.path / ".git" / name).touch()
        watch.until("run-ended", ran=3)
        started = [event["stage"] for event in watch.heard if event["event"] == "started"]
        assert sorted(started) == ["quick", "slow_left", "slow_left", "slow_right"]
        assert repo.read("left.txt") == "new left"
    repo.commit()
    settled(repo)


def test_new_moved_and_deleted_files_are_seen(words: Repo) -> None:
    with watching(words) as watch:
        watch.round()
        (words.path / "helper.py").rename(words.path / "aid.py")
        watch.until("unplanned")
        words.replace("pipeline.py", "from helper", "from aid")
        assert watch.round() == {"first": "unchanged", "second": "unchanged"}
        words.write("more/pipeline.py", PIPELINE.replace("from helper import shout", "shout = str"))
        assert set(watch.until("planned")["stages"][-1]) > {"stage"}
        words.write("more/data/words.txt", "more")
        watch.until("ended", stage="more/second", ending="ran")
        (words.path / "more/pipeline.py").unlink()
        watch.until("changed")
        assert len(watch.until("planned")["stages"]) == 2


def test_another_run_has_the_work_tree_while_a_watch_rests(words: Repo) -> None:
    with watching(words) as watch:
        watch.round()
        assert words.pivot("repro", "--force", "first").expect(0).out.startswith("first: runs")
        words.write("data/words.txt", "after it")
        watch.round()
        assert words.read("first.txt") == "AFTER IT"


def test_a_stage_that_failed_is_not_run_again_for_what_does_not_reach_it(words: Repo) -> None:
    words.replace("pipeline.py", "return text.lower()", "raise ValueError(text)")
    with watching(words) as watch:
        assert watch.round() == {"first": "ran", "second": "failed"}
        words.write("helper.py", "def shout(text):\n    return text.strip().upper()\n")
        assert watch.round() == {"first": "ran", "second": "failed"}
        assert [event["stage"] for event in watch.heard if event["event"] == "started"] == ["first", "second", "first"]
        words.replace("pipeline.py", "raise ValueError(text)", "return text")
        assert watch.round() == {"first": "unchanged", "second": "ran"}


def test_a_stage_that_writes_its_own_input_is_not_run_for_that(words: Repo) -> None:
    words.replace("pipeline.py", "return text.lower()", "return str(open('data/words.txt', 'a').write('x'))")
    words.replace("pipeline.py", 'Dep("first.txt")', 'Dep("data/words.txt")')
    with watching(words) as watch:
        assert watch.round()["second"] == "failed"
        seen = len(watch.heard)
        words.write("helper.py", HELPER.replace("upper", "title"))
        watch.until("ended", stage="first", ending="ran")
        watch.round()
        assert ("started", "second") not in {(one["event"], one.get("stage")) for one in watch.heard[seen:]}


def test_it_ends_when_nobody_reads_it_any_more(words: Repo) -> None:
    words.run("sh", "-c", f"{shlex.join(PIVOT)} watch | head -n 1").expect(0)
    assert processes_in(words.path) == []


def test_an_endless_import_is_given_up_for_the_next_save(words: Repo) -> None:
    with watching(words) as watch:
        watch.round()
        words.write("helper.py", "print('imports', flush=True)\nwhile True:\n    pass\n")
        watch.until("changed")
        words.write("helper.py", HELPER.replace("upper", "title"))
        assert watch.round()["first"] == "ran"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_end_leaves_no_process(repo: Repo, number: int) -> None:
    repo.write("pipeline.py", SLOW)
    repo.write("left.py", "def one():\n    return 'left'\n")
    repo.write("right.py", "def two():\n    return 'right'\n")
    with watching(repo, "--jobs", "2") as watch:
        watch.until("printed", line="waits right")
        watch.process.send_signal(number)
        if number == signal.SIGINT:
            watch.until("noticed")
            time.sleep(0.6)  # two within half a second are one press
            watch.process.send_signal(number)
        assert watch.process.wait(60) == 130
        assert processes_in(repo.path) == []


def test_where_the_system_watches_no_more_it_says_so_and_looks_itself(words: Repo) -> None:
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    limit = "echo 1 >/proc/sys/user/max_inotify_watches"
    if shutil.which("unshare") is None or words.run(*inside, limit).code:
        pytest.skip("no user namespaces here")
    words.git("config", "--global", "safe.directory", "*")
    process = subprocess.Popen(
        [*inside, f'{limit}; exec "$@"', "sh", *PIVOT, "watch", "--json"],
        cwd=words.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        watch = Watching(process)
        assert "fs.inotify.max_user_watches" in watch.until("watching")["polling"]
        watch.round()
        words.write("data/words.txt", "polled")
        assert watch.until("changed")["paths"] == ["data/words.txt"]
        assert watch.end() == 130
    finally:
        process.kill()
        process.wait()
