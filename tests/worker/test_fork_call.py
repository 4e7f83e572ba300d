"""What is called apart answers, leaves nothing behind, and takes its parent with it when it dies."""

from __future__ import annotations

import subprocess
import sys

import pytest

HELD = """
import os, signal, sys
from pivot.worker.fork_call import run_in_fork
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
held = []

def call():
    held.append(1)
    {body}

print(run_in_fork(call), held)
"""


def run(body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", HELD.format(body=body)], check=False, capture_output=True, text=True)


@pytest.mark.parametrize("answer", ["{'a': '1'}", "{}", "None", "{str(number): '0' * 32 for number in range(5000)}"])
def test_the_answer_comes_back_and_nothing_else(answer: str) -> None:
    assert run(f"return {answer}").stdout == f"{eval(answer)} []\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [("os.kill(os.getpid(), 9)", -9), ("os.kill(os.getpid(), 11)", -11), ("os._exit(4)", 4), ("1 / 0", 1)],
)
def test_who_calls_ends_as_the_call_did(body: str, status: int) -> None:
    ended = run(body)
    assert (ended.returncode, ended.stdout) == (status, "")


def test_an_error_in_the_call_is_told() -> None:
    assert "ZeroDivisionError" in run("1 / 0").stderr
