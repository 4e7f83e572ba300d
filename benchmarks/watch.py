"""How long a watch takes from a save to the start of the stage, with pandas imported; and what it costs at rest.

    python -m benchmarks.watch [--saves 30] [--files 10000] [--rest 30]

Needs git-pivot on PATH, and pandas. The targets: the median save to stage start at most 3 times the debounce, and
less than 1 % of a core at rest. In turn with each save `python -c "import pandas"` and a `git-pivot repro` after an
edit are measured: what the machine is good for at that moment.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.ratios import Workload, measure

DEBOUNCE = 100  # ms, what Pivot has without a setting
PIPELINE = """\
from typing import Annotated

import pandas

import pivot
from helper import factor

pipeline = pivot.Pipeline("frames")


@pipeline.register
def double(raw: Annotated[str, pivot.Dep("data.txt")]) -> Annotated[str, pivot.Out("out.txt")]:
    print("first line", flush=True)
    return str((pandas.Series([1, 2, 3]) * factor()).sum()) + raw
"""


class Watched:
    """A watch, and its events as they come."""

    def __init__(self, repository: Path) -> None:
        self._process = subprocess.Popen(
            ["git-pivot", "watch", "--json"], cwd=repository, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        self.pid = self._process.pid

    def until(self, kind: str) -> float:
        """When an event of a kind came; the events before it are passed over."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == kind:
                return time.monotonic()
        sys.exit("the watch has ended")

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()

    def settle(self) -> None:
        """Wait until it is ready for the next save."""
        before, now = -1.0, self.cpu()
        while now - before > 0.1:
            time.sleep(3)
            before, now = now, self.cpu()

    def cpu(self) -> float:
        """Seconds of CPU of the watch and of all processes that it started."""
        pids = [self.pid, *_descendants(self.pid)]
        ticks = [field for pid in pids for field in _stat(pid)[11:13]]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--saves", type=int, default=30)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rest", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        repository, other = (make_repository(Path(folder, name), options.files) for name in ("watched", "other"))
        watched = Watched(repository)
        watched.until("run-ended")
        watched.settle()
        before = watched.cpu()
        time.sleep(options.rest)
        idle = (watched.cpu() - before) / options.rest
        report(options.saves, measure_saves(watched, repository, other, options.saves))
        watched.end()
    sys.stdout.write(f"\nat rest for {options.rest:g} s with {options.files} files: {idle:.2%} of a core\n")


def make_repository(folder: Path, files: int) -> Path:
    folder.mkdir()
    (folder / "pipeline.py").write_text(PIPELINE, encoding="utf-8")
    (folder / "data.txt").write_text("data\n", encoding="utf-8")
    save(folder, -1)
    for number in range(files):
        place = folder / "files" / f"{number // 100:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text(str(number), encoding="utf-8")
    for command in (
        "git init --quiet",
        "git config user.name Bench",
        "git config user.email bench@example.com",
        "git add .",
        "git commit --quiet --no-gpg-sign -m files",
        "git-pivot repro --quiet",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def save(folder: Path, number: int) -> None:
    """Write the helper as editors do: beside it, then in its place."""
    new = folder / "helper.py.tmp"
    new.write_text(f"def factor():\n    return {number}\n", encoding="utf-8")
    new.replace(folder / "helper.py")


def measure_saves(watched: Watched, repository: Path, other: Path, saves: int) -> dict[str, list[float]]:
    """Seconds from a save to the start of the stage and to its first line, and what is measured in turn."""
    importing = Workload("import pandas", [sys.executable, "-c", "import pandas"], other)
    running = Workload("git-pivot repro", ["git-pivot", "repro"], other)
    found: dict[str, list[float]] = {"start": [], "first line": [], importing.name: [], running.name: []}
    for number in range(saves):
        found[importing.name].append(measure(importing).wall)
        save(other, number)
        found[running.name].append(measure(running).wall)
        time.sleep(1)
        began = time.monotonic()
        save(repository, number)
        found["start"].append(watched.until("started") - began)
        found["first line"].append(watched.until("printed") - began)
        watched.until("run-ended")
    return found


def report(saves: int, found: dict[str, list[float]]) -> None:
    python = (
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    )
    lines = [f"{saves} saves in turn; {python}; debounce {DEBOUNCE} ms", ""]
    lines += ["| | median, ms | x debounce | spread, ms |", "|---|---:|---:|---:|"]
    for name, runs in found.items():
        median = statistics.median(runs) * 1e3
        spread = f"{min(runs) * 1e3:.0f} to {max(runs) * 1e3:.0f}"
        lines.append(f"| {name} | {median:.0f} | {median / DEBOUNCE:.2f} | {spread} |")
    sys.stdout.write("\n".join(lines) + "\n")


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_descendants(child)]
    return found


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    main()
