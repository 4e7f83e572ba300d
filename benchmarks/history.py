"""What a long history costs: `status`, a look-up and a flush with 100,000 records and 5,000 notes, and with 100.

    python -m benchmarks.history [--records 100000] [--notes 5000] [--stages 100] [--rounds 10]

Targets: look-up and status at most 1.5 times those with 100 records; 100 records flushed in under 100 ms of CPU.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.ratios import Workload, alternate, ratio, table
from pivot.git.odb.backend import Author
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.state.journal import Finished
from pivot.state.notes import NoteLine, Notes
from pivot.state.records import Info, Output, Record
from pivot.state.run_cache import RunCache

AUTHOR = Author("Bench", "bench@example.com", 1_767_225_600)
PIVOT = [sys.executable, "-P", "-m", "pivot"]
FEW = 100
BATCH = 5000
STAGE = """
def stage_{n}() -> Annotated[int, pivot.Out("out/{n}.json", pivot.loaders.JSON())]:
    return {n}

pipeline.register(stage_{n})
"""


def made(number: int) -> Finished:
    """A run of before, as large as a real one."""
    digests = [f"{number:016x}{entry:016x}" for entry in range(5)]
    outs = {f"out/{number}.json": Output(f"{number:040x}", 0o100644, number)}
    spec = {
        "deps": [],
        "outs": [{"key": "return", "kind": "out", "flags": [], "loader": "0" * 16, "paths": list(outs)}],
    }
    code = {"nodes": digests, "edges": [[] for _ in digests]}
    record = Record(code, {"rate": number}, spec, {"data.csv": f"{number:040x}"}, outs, f"{number:040x}")
    entries = tuple((f"func:helper_{entry}", "src/helpers.py", entry) for entry in range(5))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(AUTHOR.time + number))
    info = Info(f"old_{number % 1000}", entries, 1.0, stamp, "host", "3.11", "bench", {"numpy": "2.0"})
    return Finished(info.stage, record, info)


def git(folder: Path, *args: str, stdin: str | None = None) -> str:
    done = subprocess.run(["git", *args], cwd=folder, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def start(folder: Path, stages: int) -> Path:
    """A repository with a pipeline that has run."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    body = "".join(STAGE.format(n=number) for number in range(stages))
    head = "from typing import Annotated\nimport pivot\npipeline = pivot.Pipeline('history')\n"
    (folder / "pipeline.py").write_text(head + body)
    git(folder, "add", ".")
    git(folder, "-c", "user.name=b", "-c", "user.email=b@example.com", "commit", "--quiet", "-m", "one")
    subprocess.run([*PIVOT, "repro"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def grow(folder: Path, records: int, notes: int) -> None:
    """Add a past: runs in many commits, notes on commits of their own."""
    backend = LibgitBackend(folder / ".git", folder / ".git")
    for first in range(0, records, BATCH):
        batch = [made(number) for number in range(first, min(first + BATCH, records))]
        RunCache(backend).flush(batch, "repro: before", replace(AUTHOR, time=AUTHOR.time + first + BATCH))
    commits = "".join(
        f"commit refs/heads/past\ncommitter b <b@example.com> {AUTHOR.time + number} +0000\ndata 1\nx\n"
        for number in range(notes)
    )
    if notes:
        git(folder, "fast-import", "--quiet", stdin=commits)
        tree = git(folder, "rev-parse", "past^{tree}")[:12]
        lines = [NoteLine(f"stage_{number}", "stale", tree) for number in range(100)]
        listed = git(folder, "rev-list", "past").split()
        Notes(backend).write(dict.fromkeys(listed, lines), "before", AUTHOR)
    backend.close()
    git(folder, "repack", "-a", "-d", "-q")
    git(folder, "pack-refs", "--all")


def in_process(folder: Path, work: Callable[[RunCache], None]) -> tuple[float, float]:
    """Wall and CPU seconds of some work with a run cache that was just opened."""
    backend = LibgitBackend(folder / ".git", folder / ".git")
    runs = RunCache(backend)
    wall, cpu = time.perf_counter(), time.process_time()
    work(runs)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    backend.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("records", 100_000), ("notes", 5_000), ("stages", 100), ("rounds", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="pivot-history-"))
    try:
        few = start(place / "few", given.stages)
        many = place / "many"
        shutil.copytree(few, many)
        grow(few, max(FEW - given.stages, 1), 0)
        grow(many, given.records, given.notes)
        report(few, many, given.rounds)
    finally:
        shutil.rmtree(place)


def report(few: Path, many: Path, rounds: int) -> None:
    """Print every figure of both repositories."""
    for name, command in (("status", ["status", "--json"]), ("show", ["show"]), ("log", ["log", "-n", "20"])):
        pair = [Workload(f"{name}, {folder.name}", [*PIVOT, *command], folder) for folder in (few, many)]
        samples = alternate(pair, rounds)
        say(table(samples, f"{name}, few"))
        say(f"ratio {ratio(samples, f'{name}, many', f'{name}, few'):.2f}\n")
    wanted = {few: made(0).record.fingerprint, many: made(7).record.fingerprint}
    for folder, fingerprint in wanted.items():
        times = sorted(in_process(folder, lambda runs, sought=fingerprint: _found(runs, sought)) for _ in range(rounds))  # type: ignore[misc]
        say(f"look-up, {folder.name}: {times[rounds // 2][0] * 1e3:.2f} ms")
    for folder in (few, many):
        cpu = []
        for turn in range(rounds):
            batch = [made(10_000_000 + turn * FEW + number) for number in range(FEW)]
            cpu.append(in_process(folder, lambda runs, new=batch: _flushed(runs, new))[1])  # type: ignore[misc]
        say(f"flush of {FEW} records, {folder.name}: {sorted(cpu)[rounds // 2] * 1e3:.1f} ms CPU")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _found(runs: RunCache, fingerprint: str) -> None:
    if not runs.lookup(fingerprint):
        raise SystemExit("the record is not found")


def _flushed(runs: RunCache, batch: list[Finished]) -> None:
    runs.flush(batch, "repro: new", replace(AUTHOR, time=AUTHOR.time + 10_000_000))


if __name__ == "__main__":
    main()
