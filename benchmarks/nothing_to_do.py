"""How long a `repro` takes that finds nothing to do, in bare Python starts.

    python -m benchmarks.nothing_to_do [--stages 100] [--rounds 20]

Needs git-pivot on PATH. The target is a ratio of at most 10 for 100 stages.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ratios import Workload, alternate, table

HEAD = """\
from typing import Annotated

import pivot

pipeline = pivot.Pipeline("wide")


def double(values):
    return [value * 2 for value in values]
"""

STAGE = """

@pipeline.register
def stage_{number}(
    values: Annotated[list, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[list, pivot.Out("out_{number}.json", pivot.loaders.JSON())]:
    return double(values) + [{number}]
"""

FLOOR = "python -c pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        repository = make_repository(Path(folder), options.stages)
        samples = alternate(workloads(repository), options.rounds)
        expect_nothing_to_do(repository, options.stages)
    sys.stdout.write(
        f"{options.stages} stages, nothing to do; medians of {options.rounds} rounds in turn; "
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs\n\n"
        f"{table(samples, FLOOR)}\n"
    )


def make_repository(folder: Path, stages: int) -> Path:
    """A committed repository with `stages` stages whose outputs are all there."""
    text = HEAD + "".join(STAGE.format(number=number) for number in range(stages))
    (folder / "pipeline.py").write_text(text, encoding="utf-8")
    (folder / "data.json").write_text("[1, 2, 3]\n", encoding="utf-8")
    for command in (
        "git init --quiet",
        "git config user.name Bench",
        "git config user.email bench@example.com",
        "git add .",
        "git commit --quiet --no-gpg-sign -m stages",
        "git-pivot repro",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    expect_nothing_to_do(folder, stages)
    return folder


def expect_nothing_to_do(repository: Path, stages: int) -> None:
    """Fail unless all outputs stand there and `repro` says that it leaves every stage alone."""
    said = subprocess.run(["git-pivot", "repro", "--json"], cwd=repository, check=True, capture_output=True, text=True)
    unchanged = json.loads(said.stdout.splitlines()[-1])["unchanged"]
    present = len(list(repository.glob("out_*.json")))
    if (unchanged, present) != (stages, stages):
        sys.exit(f"{unchanged} stages unchanged and {present} outputs present, of {stages}")


def workloads(repository: Path) -> list[Workload]:
    """Nothing moved; a file touched: decided anew; the caches gone: the code is imported; and what to compare with."""
    repro = ["git-pivot", "repro"]
    cache = repository / ".git" / "pivot" / "cache"
    return [
        Workload(FLOOR, [sys.executable, "-c", "pass"], repository),
        Workload("git-pivot repro", repro, repository, prepare=lambda: settle(repository)),
        Workload("git-pivot repro, data.json touched", repro, repository, prepare=(repository / "data.json").touch),
        Workload("git-pivot repro, caches deleted", repro, repository, prepare=lambda: shutil.rmtree(cache)),
        Workload("git-pivot status", ["git-pivot", "status"], repository, prepare=lambda: settle(repository)),
        Workload("git-pivot --version", ["git-pivot", "--version"], repository),
        Workload("git status", ["git", "status", "--porcelain"], repository),
    ]


def settle(repository: Path) -> None:
    """Bring the index and the caches up to date, later than all files, so that none is too young to be trusted."""
    subprocess.run(["git", "status"], cwd=repository, check=True, capture_output=True)
    time.sleep(0.1)
    subprocess.run(["git-pivot", "repro"], cwd=repository, check=True, capture_output=True)


if __name__ == "__main__":
    main()
