"""How long a run will take, from past durations: the same scheduling, played through without clocks and processes."""

from __future__ import annotations

import heapq
from collections.abc import Collection

from msgspec import Struct

from pivot.schedule.admission_queue import Work
from pivot.schedule.ready_set import ReadySet
from pivot.schedule.scheduler import Limits, Scheduler


class Forecast(Struct, frozen=True):
    """`seconds` of wall time with `jobs` at a time, `chain` the stages one after another that take longest.

    `unknown` stages have never run here; they count for nothing, so that the time is at least this.
    """

    seconds: float
    chain: tuple[str, ...]
    chain_seconds: float
    unknown: int
    jobs: int


def forecast(work: Work, stages: Collection[str], limits: Limits) -> Forecast:
    """For the stages that must run, as far as is known before anything runs."""
    wanted = set(stages)
    seconds = {name: work.seconds.get(name, 0.0) for name in wanted}
    chain = _longest_chain(work, wanted)
    return Forecast(
        seconds=_play(work, wanted, limits),
        chain=chain,
        chain_seconds=sum(seconds[name] for name in chain),
        unknown=sum(name not in work.seconds for name in wanted),
        jobs=limits.jobs,
    )


def _longest_chain(work: Work, wanted: set[str]) -> tuple[str, ...]:
    """Upstreams first."""
    length: dict[str, float] = {}
    following: dict[str, str | None] = {}
    for name in reversed([name for name in work.graph.order if name in wanted]):
        below = [one for one in work.graph.downstream[name] if one in wanted]
        following[name] = max(below, key=length.__getitem__, default=None)
        next_one = following[name]
        length[name] = work.seconds.get(name, 0.0) + (length[next_one] if next_one else 0.0)
    at = max(length, key=length.__getitem__, default=None)
    chain = []
    while at is not None:
        chain.append(at)
        at = following[at]
    return tuple(chain)


def _play(work: Work, wanted: set[str], limits: Limits) -> float:
    ready_set, scheduler = ReadySet(work.graph, wanted), Scheduler(limits)
    running: list[tuple[float, str]] = []
    now = 0.0
    while True:
        for name in ready_set.take():
            scheduler.push(name, work.needs.get(name), work.seconds.get(name, 0.0))
        while (started := scheduler.pop()) is not None:
            heapq.heappush(running, (now + work.seconds.get(started, 0.0), started))
        if not running:
            return now
        now, ended = heapq.heappop(running)
        scheduler.release(ended)
        ready_set.end(ended)
