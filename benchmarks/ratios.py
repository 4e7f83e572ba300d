"""Commands measured in turn, A B A B, in one run on one machine: only their ratios are worth reading.

Seconds differ between machines and between two moments of one; what is measured in turn meets the same moments.
CPU seconds are those of the command and of all children that it waited for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workload:
    """A command to measure; `prepare` puts things in order before each run and is not measured."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One run, in seconds."""

    wall: float
    cpu: float


class WorkloadFailed(Exception):
    """A command that is measured must do its work: one that fails fast would win."""


class TookTooLong(WorkloadFailed):
    """It was ended at the limit."""


def surroundings(own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command that is measured: ours without what steers Python, and what is its own.

    Where `PYTHONDONTWRITEBYTECODE` is set, as in many containers, each tool that starts a Python for each step would
    compile the steps every time.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | dict(own)


def measure(workload: Workload, limit: float = 0) -> Sample:
    """Run a workload once, with nothing on its input and its output thrown away; for `limit` seconds at most, if any.

    Raises:
        WorkloadFailed: it exited with anything but 0.
    """
    if workload.prepare:
        workload.prepare()
    environment = surroundings({**workload.environment, "PWD": str(workload.folder)})
    null = os.open(os.devnull, os.O_RDWR)
    began = time.perf_counter()
    with contextlib.chdir(workload.folder):
        # posix_spawn and wait4: no thread, no pipe and no poll of ours stands in the figures.
        pid = os.posix_spawnp(
            workload.command[0],
            list(workload.command),
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1, 2)],
            setpgroup=0 if limit else os.getpgrp(),
        )
    with _ended_after(pid, limit) if limit else contextlib.nullcontext():
        _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    os.close(null)
    if limit and wall >= limit:
        raise TookTooLong(f"{workload.name}: more than {limit:g} s")
    if status:
        code = os.waitstatus_to_exitcode(status)
        raise WorkloadFailed(f"{workload.name}: exit {code} from {' '.join(workload.command)}")
    return Sample(wall, usage.ru_utime + usage.ru_stime)


@contextlib.contextmanager
def _ended_after(group: int, limit: float) -> Iterator[None]:
    """End a group of processes when the time is up."""
    before = signal.signal(signal.SIGALRM, lambda *_: os.killpg(group, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    except KeyboardInterrupt:
        os.killpg(group, signal.SIGKILL)
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def alternate(workloads: Sequence[Workload], rounds: int) -> dict[str, list[Sample]]:
    """Measure each workload once a round, after one round that only warms caches."""
    for workload in workloads:
        measure(workload)
    samples: dict[str, list[Sample]] = {workload.name: [] for workload in workloads}
    for _ in range(rounds):
        for workload in workloads:
            samples[workload.name].append(measure(workload))
    return samples


def ratio(samples: Mapping[str, Sequence[Sample]], name: str, floor: str) -> float:
    """The median wall time of `name` over that of `floor`."""
    return _median_wall(samples[name]) / _median_wall(samples[floor])


def table(samples: Mapping[str, Sequence[Sample]], floor: str) -> str:
    """A Markdown table: medians, ratios to `floor`, and how far the runs lay apart."""
    lines = ["| | wall, ms | x | CPU, ms | x | spread, ms |", "|---|---:|---:|---:|---:|---:|"]
    floor_cpu = _median_cpu(samples[floor])
    for name, runs in samples.items():
        walls = [run.wall * 1e3 for run in runs]
        cpu = _median_cpu(runs)
        lines.append(
            f"| {name} | {statistics.median(walls):.1f} | {ratio(samples, name, floor):.2f} | {cpu * 1e3:.1f} "
            f"| {cpu / floor_cpu:.2f} | {min(walls):.1f} to {max(walls):.1f} |"
        )
    return "\n".join(lines)


def _median_wall(runs: Sequence[Sample]) -> float:
    return statistics.median(run.wall for run in runs)


def _median_cpu(runs: Sequence[Sample]) -> float:
    return statistics.median(run.cpu for run in runs)
