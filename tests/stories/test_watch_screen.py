"""A watch as a person at a terminal of 80 columns has it: real keys in tmux, and what stands on the screen."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.repository import PIVOT, Repo
from tests.support.tmux import PATIENCE, Pane, open_pane
from tests.support.watching import processes_in

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")

PIPELINE = """
from typing import Annotated
from pivot import Dep, Out, Pipeline
from helper import greeting

def greet(name: Annotated[str, Dep("name.txt")]) -> Annotated[str, Out("greeting.txt")]:
    text = greeting(name)
    print(text)
    return text

def shout(text: Annotated[str, Dep("greeting.txt")]) -> Annotated[str, Out("loud.txt")]:
    return text.upper()

pipeline = Pipeline("greetings")
pipeline.register(greet)
pipeline.register(shout)
"""
HELPER = "def greeting(name):\n    return f'hello {name}'\n"
IDLE = "waits for a save"


@pytest.fixture
def greetings(repo: Repo) -> Repo:
    repo.write("pipeline.py", PIPELINE)
    repo.write("helper.py", HELPER)
    repo.write("name.txt", "world")
    repo.commit("greetings")
    return repo


@pytest.fixture
def pane(greetings: Repo, tmp_path: Path) -> Iterator[Pane]:
    """A watch that has run everything, in a shell in tmux."""
    with open_pane(greetings.path, tmp_path / "tmux") as pane:
        pane.type(f"{shlex.join(PIVOT)} watch", "Enter")
        pane.wait_for("2 ran", IDLE, "hello world", "q quit")
        yield pane


def test_saves_keys_and_branches(greetings: Repo, pane: Pane) -> None:
    greetings.replace("helper.py", "hello", "good day,")
    screen = pane.wait_for("good day, world", "changed   helper.py", "2 ran", IDLE)
    assert "code changed: func:greeting (helper.py:1)" in screen
    assert max(map(len, screen.splitlines())) <= 80

    pane.type("e")
    pane.wait_for("What led to the run:", "Stage: greet", "func:greeting", "File: helper.py:1")
    greetings.write("helper.py", "def greeting(name):\n    return f'hello {name\n")
    pane.wait_for("cannot be planned", "SyntaxError", IDLE, gone="Stage: greet")
    greetings.write("helper.py", HELPER.replace("hello", "mended"))
    pane.wait_for("Stage: greet", "2 ran", IDLE, gone="SyntaxError")

    pane.type("l")
    pane.wait_for("--- greet ---", "mended world", gone="Stage: greet")
    pane.type("l", "p")
    pane.wait_for("paused", "p go on")
    greetings.write("name.txt", "nobody")
    greetings.write("name.txt", "all")
    pane.type("p")
    assert "nobody" not in pane.wait_for("mended all", IDLE)
    pane.type("f")
    pane.wait_for("forced", IDLE)

    greetings.commit("mended")
    for branch, text in (("other", "HELLO WORLD"), ("main", "MENDED ALL")):
        greetings.git("switch", "-q", *(["-c", branch, "HEAD~1"] if branch == "other" else [branch]))
        pane.wait_for("0 ran, 2 restored", ".git/HEAD", IDLE)
        wait_until(partial(lambda wanted: greetings.read("loud.txt") == wanted, text))

    pane.type("q")
    pane.wait_for("0 ran, 2 restored", "prompt> ", gone="q quit")
    pane.type("echo still $((6 * 7))", "Enter")
    pane.wait_for("echo still", "still 42")  # echoed: the terminal is as it was
    wait_until(lambda: not [line for line in processes_in(greetings.path) if "pivot" in line])


def test_ctrl_c_while_a_stage_runs(greetings: Repo, pane: Pane) -> None:
    greetings.write("helper.py", "import time\ndef greeting(name):\n    print('at work')\n    time.sleep(60)\n")
    pane.wait_for("running", "at work")
    pane.type("C-c")
    pane.wait_for("stopping; waiting for greet")
    pane.type("q")
    pane.wait_for("interrupted", "prompt> ", gone="q quit")
    wait_until(lambda: not [line for line in processes_in(greetings.path) if "pivot" in line])
    assert greetings.read("greeting.txt") == "hello world"


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
