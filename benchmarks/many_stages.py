"""What it costs to run many stages: wall time against the ideal, and CPU time of a stage that does nothing.

    python -m benchmarks.many_stages [--stages 200] [--milliseconds 50] [--jobs 2] [--rounds 3]

Needs git-pivot on PATH. The targets: at most 1.35 times the ideal for 200 stages of 50 ms on 2 cores, and at most 10 ms
of CPU for a trivial stage, flat in the number of stages. The floor is a script that runs the same functions in a pool
of forked processes, one process a stage, and keeps nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ratios import Sample, Workload, alternate, table

HEAD = """\
import time
from typing import Annotated

import pivot

pipeline = pivot.Pipeline("many")


def work(number):
    end = time.process_time() + {seconds}
    while time.process_time() < end:
        pass
    return [number]
"""

STAGE = """

@pipeline.register
def stage_{number}() -> Annotated[list, pivot.Out("out/{folder}/{number}.json", pivot.loaders.JSON())]:
    return work({number})
"""

POOL = """\
import json, multiprocessing, pathlib, pipeline

def run(stage):
    path = pathlib.Path("pool", stage.outputs[0].paths[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stage.function()))

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool({jobs}, maxtasksperchild=1) as pool:
        pool.map(run, pipeline.pipeline.stages, chunksize=1)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stages", type=int, default=200)
    parser.add_argument("--milliseconds", type=float, default=50.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        repository = make_repository(Path(folder), options.stages, options.milliseconds / 1000, options.jobs)
        samples = alternate(workloads(repository, options.jobs), options.rounds)
        expect_all_there(repository, options.stages)
    ideal = options.stages * options.milliseconds / 1000 / options.jobs
    sys.stdout.write(
        f"{options.stages} stages of {options.milliseconds:g} ms, {options.jobs} at a time; medians of "
        f"{options.rounds} rounds in turn; Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} CPUs\n\n{table(samples, 'pool')}\n\n"
        f"{summary(samples['git-pivot repro'], ideal, options.stages, options.milliseconds)}\n"
    )


def summary(runs: Sequence[Sample], ideal: float, stages: int, milliseconds: float) -> str:
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs) * 1000 / stages - milliseconds
    against = f"{wall / ideal:.2f} x the ideal; " if ideal else ""
    return f"{against}{cpu:.1f} ms of CPU a stage beside its own work"


def make_repository(folder: Path, stages: int, seconds: float, jobs: int) -> Path:
    text = HEAD.format(seconds=seconds) + "".join(
        STAGE.format(number=number, folder=number // 500) for number in range(stages)
    )
    (folder / "pipeline.py").write_text(text)
    (folder / "pool.py").write_text(POOL.format(jobs=jobs))
    for command in ("git init -q", "git add .", "git -c user.name=b -c user.email=b@example.com commit -qm start"):
        subprocess.run(command.split(), cwd=folder, check=True)
    return folder


def workloads(repository: Path, jobs: int) -> list[Workload]:
    def forget() -> None:
        for name in (".git/pivot", ".git/refs/pivot", ".git/refs/notes", "out", "pool"):
            shutil.rmtree(repository / name, ignore_errors=True)

    repro = ["git-pivot", "repro", "--jobs", str(jobs)]
    return [
        Workload("pool", [sys.executable, "pool.py"], repository, prepare=forget),
        Workload("git-pivot repro", repro, repository, prepare=forget),
    ]


def expect_all_there(repository: Path, stages: int) -> None:
    found = len(list((repository / "out").rglob("*.json")))
    if found != stages:
        raise SystemExit(f"{found} outputs of {stages}")


if __name__ == "__main__":
    main()
