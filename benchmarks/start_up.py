"""What a user waits for before anything is done: help and completion, in bare Python starts.

    python -m benchmarks.start_up [--rounds 20]

Needs git-pivot on PATH. The target: at most 6 times `python -c pass`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.nothing_to_do import FLOOR, make_repository
from benchmarks.ratios import Workload, alternate, table

STAGES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        repository = make_repository(Path(folder), STAGES)
        offered = subprocess.run(
            ["git-pivot", "__complete", "repro", ""], cwd=repository, capture_output=True, check=True
        )
        if offered.stdout.count(b"\n") != STAGES:
            sys.exit("completion does not offer every stage")
        samples = alternate(workloads(repository), options.rounds)
    sys.stdout.write(f"{table(samples, FLOOR)}\n")


def workloads(repository: Path) -> list[Workload]:
    commands = {
        "git-pivot --help": ["git-pivot", "--help"],
        "git-pivot repro --help": ["git-pivot", "repro", "--help"],
        f"completion of {STAGES} stages": ["git-pivot", "__complete", "repro", ""],
        "completion of revisions": ["git-pivot", "__complete", "diff", ""],
    }
    floor = Workload(FLOOR, [sys.executable, "-c", "pass"], repository)
    return [floor, *(Workload(name, command, repository) for name, command in commands.items())]


if __name__ == "__main__":
    main()
