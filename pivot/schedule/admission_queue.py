"""The stages of a run that must run: who is next, who is tried again and when, who does not fit into the time left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from pivot.code.analysis.model import AnalysedStage
from pivot.graph import Graph
from pivot.plan.decision import Plan
from pivot.plan.known_results import Memory
from pivot.plan.planner import Planner
from pivot.schedule.ready_set import longest_paths
from pivot.schedule.resource_limits import check_needs, needs_of
from pivot.schedule.scheduler import Limits, Needs, Retries, Scheduler

RETRIED = ("raised", "exit", "signal", "timeout")
"""Kinds of failure that another try may not have; a wrong declaration stays wrong."""


class Work(Struct, frozen=True):
    """The stages of a plan: their graph, what each needs, how often it is tried again, how long it took before."""

    graph: Graph
    needs: Mapping[str, Needs] = field(default_factory=dict)
    retries: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def work_of(graph: Graph, stages: Mapping[str, AnalysedStage], seconds: Mapping[str, float]) -> Work:
    policies = {name: stage.spec.policy for name, stage in stages.items()}
    needs = {name: needs_of(policy) for name, policy in policies.items()}
    return Work(graph, needs, {name: one.retries for name, one in policies.items() if one.retries}, seconds)


def work_ahead(memory: Memory, planner: Planner, plan: Plan) -> Work:
    """What the stages that must run need, and how long they took before."""
    took = {name: memory.seconds(name) for name in plan.to_run()}
    seconds = {name: found for name, found in took.items() if found is not None}
    return work_of(planner.graph, planner.stages, seconds)


class AdmissionQueue:
    """`budget` is in seconds from now (None: no limit); a stage of which nothing is known is taken to fit."""

    def __init__(self, limits: Limits, budget: float | None = None) -> None:
        self.too_long: set[str] = set()
        self._limits = limits
        self._scheduler = Scheduler(limits)
        self._end = None if budget is None else time.monotonic() + budget
        self._work = Work(Graph((), {}))
        self._remaining: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def replace(self, work: Work) -> None:
        """Go on with another plan: what was ready is to be pushed again; what runs or will be tried again stays."""
        self._work = work
        self._remaining = longest_paths(work.graph, work.seconds)
        self._scheduler.clear()

    def check(self, stages: Iterable[str]) -> None:
        """See that each of these stages could start. Raises `PipelineError`."""
        check_needs(self._limits, self._work.needs, list(stages))

    @property
    def work(self) -> Work:
        """The stages of the present plan."""
        return self._work

    def push(self, name: str) -> None:
        """A stage must run, and may as soon as there is room."""
        self._scheduler.push(name, self._work.needs.get(name), self._remaining.get(name, 0.0))

    def pop(self) -> str | None:
        """The stage to start now; it counts as running until `release`."""
        while (name := self._scheduler.pop()) is not None:
            if self._fits(name):
                return name
            self._scheduler.release(name)
            self.too_long.add(name)
        return None

    def release(self, name: str) -> None:
        """A stage runs no more, however it ended."""
        self._scheduler.release(name)

    def running(self) -> list[str]:
        """The stages that were taken to be started and have not been released."""
        return self._scheduler.running()

    def retry_later(self, name: str, kind: str) -> float | None:
        """Seconds after which a failed stage gets another try; None when it gets none."""
        self._failures[name] = self._failures.get(name, 0) + 1
        retries = Retries(self._work.retries.get(name, 0))
        wait = retries.wait(self._failures[name]) if kind in RETRIED else None
        if wait is not None:
            self._due[name] = time.monotonic() + wait
        return wait

    def tries(self, name: str) -> int:
        """How often a stage has been started, the present time included."""
        return self._failures.get(name, 0) + 1

    def has_retries(self) -> bool:
        """Whether any stage waits for another try."""
        return bool(self._due)

    def sleep_until_retry(self, longest: float) -> None:
        """Wait for the first stage to be tried again, while nothing runs."""
        if self._due:
            time.sleep(max(0.0, min(longest, min(self._due.values()) - time.monotonic())))

    def take_due(self) -> list[str]:
        """The stages whose next try may begin; each is given once, to be pushed."""
        now = time.monotonic()
        due = [name for name, moment in self._due.items() if moment <= now]
        for name in due:
            del self._due[name]
        return due

    def _fits(self, name: str) -> bool:
        return self._end is None or time.monotonic() + self._work.seconds.get(name, 0.0) <= self._end
