"""A stage can be looked at in a prompt."""

from __future__ import annotations

import subprocess

from pivot.worker.protocol import Setup
from pivot.worker.repl import debug_command
from tests.support.workers import Bench

FAULTY = """
@pipeline.register
def work(numbers: Annotated[list, pivot.Dep("a.json", pivot.loaders.JSON())]) -> Text:
    secret = sum(numbers)
    return str(1 / (secret - secret))
"""


def debug(bench: Bench, typed: str, stage: str = "work") -> subprocess.CompletedProcess[str]:
    (bench.root / "a.json").write_text("[20, 22]")
    bench.write(FAULTY)
    setup = Setup(str(bench.root), "pipeline.py", "", "auto", "", 1.0, "auto")
    command = debug_command(setup, stage)
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=30, check=False)


def test_a_prompt_has_the_inputs_and_the_names_of_the_module(bench: Bench) -> None:
    found = debug(bench, "print(sum(numbers), pathlib.Path('x'), stage.__name__)\n")
    assert "42 x work" in found.stdout
    assert "numbers: list" in found.stderr
    assert found.returncode == 0


def test_a_stage_that_is_not_there_is_said_in_a_sentence(bench: Bench) -> None:
    found = debug(bench, "", stage="nothing")
    assert found.stderr == "error: there is no stage nothing in pipeline.py\n"
    assert found.returncode == 2
