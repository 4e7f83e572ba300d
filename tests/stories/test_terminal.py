"""A run as a person at a terminal has it: keys, the debugger, what is shown, and what is left when it ends."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran, settled
from tests.support.terminal import Terminal

ROUNDS = int(os.environ.get("PIVOT_CTRL_C_ROUNDS", "2"))

SLOW = """
import subprocess, time
from typing import Annotated
from pivot import Out, Pipeline

pipeline = Pipeline("slow")

def work(number: int) -> Annotated[str, Out("out/{number}.txt")]:
    subprocess.Popen(["sleep", "60"])
    print("at work")
    time.sleep(0.15)
    return str(number)

pipeline.register(work, matrix={"number": range(8)})
"""

FAULTY = """
from typing import Annotated
from pivot import Out, Pipeline

pipeline = Pipeline("faulty")

@pipeline.register
def work() -> Annotated[str, Out("out.txt")]:
    secret = 42
    open("out.txt", "w").write("half")
    return str(1 / (secret - secret))
"""

BARS = """
import sys, time
from typing import Annotated
from pivot import Out, Pipeline

pipeline = Pipeline("bars")

@pipeline.register
def work() -> Annotated[str, Out("out.txt")]:
    for done in range(5):
        print(f"\\r{done * 20:3d}%|{'#' * done}", end="", file=sys.stderr, flush=True)
        time.sleep(0.15)
    print("\\r100%|#####", file=sys.stderr)
    print("\\x1b[2J\\x1b[H\\x1b[32mafter", flush=True)
    return "x"
"""
STEERING = r"""
from typing import Annotated

from pivot import Out, Pipeline

SAID = (
    "begin \x1b]0;title\x07 \x1b]8;;http://there\x1b\\link\x1b]8;;\x1b\\ \x9b2J \x1b[2J\x1b[10;10H \x07"
    "\x1bPq#0\x1b\\ \x1b(0 \x1b[31mend"
)
pipeline = Pipeline("steering")

@pipeline.register
def tell() -> Annotated[str, Out("told.txt")]:
    print(SAID)
    return "x"

@pipeline.register
def fail() -> Annotated[str, Out("failed.txt")]:
    print(SAID)
    raise ValueError(SAID)
"""
STEERS = ("\x1b]", "\x9b", "\x07", "\x1bP", "\x1b(0", "\x1b[10;10H")


@pytest.fixture
def at_terminal(repo: Repo) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def begin(*args: str) -> Terminal:
        opened.append(Terminal(repo, *args))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


@pytest.fixture
def written(repo: Repo, request: pytest.FixtureRequest) -> Repo:
    repo.write("pipeline.py", request.param)
    repo.commit("start")
    return repo


@pytest.mark.parametrize("written", [SLOW], indirect=True)
def test_ctrl_c_at_any_moment_loses_no_finished_stage_and_leaves_nothing(
    written: Repo, at_terminal: Callable[..., Terminal]
) -> None:
    for number in range(ROUNDS):
        terminal = at_terminal("repro", "--jobs", "2", "--force")
        terminal.pause(random.uniform(0.0, 2.5))
        for _ in range(1 + number % 2):
            terminal.type("\x03")
            terminal.pause(0.6)
        # One may come while Python itself starts or ends: shells show that as 130, too, and `-m` has words of its own.
        assert terminal.wait() in (0, 130, -signal.SIGINT) or "import runpy" in terminal.text, terminal.text
        assert terminal.left_running() == []
        assert terminal.is_as_before(), terminal.shown
        done = {line.partition(":")[0] for line in terminal.text.splitlines() if ": done in" in line}
        assert not done & set(ran(written)), terminal.text
    settled(written)


@pytest.mark.parametrize("written", [FAULTY], indirect=True)
def test_the_debugger_opens_where_a_stage_raised(written: Repo, at_terminal: Callable[..., Terminal]) -> None:
    terminal = at_terminal("repro", "--pdb")
    terminal.wait_for("(Pdb)")
    terminal.type("p secret + 1\n")
    terminal.wait_for("43")
    terminal.type("q\n")
    assert terminal.wait() == 1
    assert "ZeroDivisionError" in terminal.text
    assert terminal.is_as_before()


@pytest.mark.parametrize("written", [FAULTY], indirect=True)
def test_a_prompt_opens_with_the_inputs_of_a_stage(written: Repo, at_terminal: Callable[..., Terminal]) -> None:
    terminal = at_terminal("debug", "work")
    terminal.wait_for(">>> ")
    terminal.type("\x03")
    terminal.wait_for("KeyboardInterrupt")
    terminal.type("print(stage.__name__ * 2)\n")
    terminal.wait_for("workwork")
    terminal.type("\x04")
    assert terminal.wait() == 0


@pytest.mark.parametrize("written", [FAULTY], indirect=True)
def test_what_a_failed_stage_had_written_is_moved_and_told(written: Repo) -> None:
    said = written.pivot("repro").expect(1).out
    (folder,) = [line.partition(": ")[2] for line in said.splitlines() if "What it had written" in line]
    assert not written.exists("out.txt")
    assert written.read(f"{folder}/out.txt") == "half"
    written.replace("pipeline.py", "secret - secret", "secret")
    written.pivot("repro").expect(0)
    assert not written.exists(folder)


@pytest.mark.parametrize("written", [BARS], indirect=True)
def test_progress_bars_and_escape_sequences_of_a_stage_do_not_wreck_the_display(
    written: Repo, at_terminal: Callable[..., Terminal]
) -> None:
    terminal = at_terminal("repro")
    assert terminal.wait() == 0
    assert "\x1b[2J" not in terminal.shown
    assert "work | after" in terminal.text
    assert "work | 100%|#####" in terminal.text
    assert terminal.is_as_before()
    assert written.pivot("logs", "work").expect(0).out == "100%|#####\nafter\n"
    later = at_terminal("logs", "work")
    assert later.wait() == 0
    assert later.shown == "100%|#####\r\n\x1b[32mafter\r\n"


@pytest.mark.parametrize("written", [STEERING], indirect=True)
@pytest.mark.parametrize(
    "command", ["repro -k", "repro -k --quiet", "repro -k --json", "repro --verify-determinism fail", "watch"]
)
def test_nothing_that_a_stage_says_steers_the_terminal(
    written: Repo, at_terminal: Callable[..., Terminal], command: str
) -> None:
    terminal = at_terminal(*command.split())
    if command == "watch":
        terminal.wait_for("waits for a save")
        terminal.type("q")
    terminal.wait()
    assert "begin" in terminal.text and "end" in terminal.text
    assert [steers for steers in STEERS if steers in terminal.shown] == []
    assert terminal.is_as_before()


@pytest.mark.parametrize("written", [STEERING + "\nraise ValueError(SAID)\n"], indirect=True)
@pytest.mark.parametrize("command", ["repro", "status"])
def test_nothing_that_an_import_says_steers_the_terminal(
    written: Repo, at_terminal: Callable[..., Terminal], command: str
) -> None:
    terminal = at_terminal(command)
    assert terminal.wait() == 2
    assert "begin" in terminal.text and "end" in terminal.text
    assert [steers for steers in STEERS if steers in terminal.shown] == []


def test_the_debugger_needs_a_terminal(repo: Repo) -> None:
    repo.write("pipeline.py", FAULTY)
    assert "needs a terminal" in repo.pivot("repro", "--pdb").expect(2).err
