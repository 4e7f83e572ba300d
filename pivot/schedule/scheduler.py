"""Which of the ready stages starts next: pure bookkeeping, without clocks and processes.

Among those whose needs are free, the one with the highest priority; among equals the one with the longest time still
behind it, so that the critical path is never kept waiting; among equals the one that became ready first.
"""

from __future__ import annotations

import random
from bisect import insort
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct, field

from pivot.errors import PipelineError

ALONE = "*"
"""The mutex of a stage that runs while no other does."""

_FULL = 1e-9


class Needs(Struct, frozen=True):
    """What a stage takes while it runs: shares of named resources, names that it alone may hold, and its rank."""

    resources: Mapping[str, float] = field(default_factory=dict)
    mutex: frozenset[str] = frozenset()
    priority: int = 0


class Limits(Struct, frozen=True):
    """How many stages run at a time, and how much there is of each resource; one that is not named has no limit."""

    jobs: int
    resources: Mapping[str, float] = field(default_factory=dict)

    def check(self, name: str, needs: Needs) -> None:
        """See that a stage could start.

        Raises:
            PipelineError: it needs more of a resource than there is.
        """
        for resource, amount in needs.resources.items():
            limit = self.resources.get(resource)
            if limit is not None and amount > limit + _FULL:
                raise PipelineError(
                    f"{name} needs {amount:g} of {resource}, and there is {limit:g}",
                    hint=f"git config pivot.resources.{resource.replace('_', '-')} {amount:g}",
                )


class ReadyStage(Struct, frozen=True):
    """A ready stage; `remaining` is the time in seconds of the longest chain that starts with it."""

    name: str
    needs: Needs
    remaining: float
    order: int

    @property
    def rank(self) -> tuple[int, float, int]:
        return (-self.needs.priority, -self.remaining, self.order)


class Scheduler:
    """Stages that are ready, stages that run, and what is left for others."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: list[ReadyStage] = []
        self._running: dict[str, Needs] = {}
        self._used: dict[str, float] = {}
        self._held: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        """How many stages are ready and not yet started."""
        return len(self._waiting)

    def push(self, name: str, needs: Needs | None = None, remaining: float = 0.0) -> None:
        """A stage has become ready.

        Raises:
            PipelineError: it needs more of a resource than there is, and could never start.
        """
        needs = needs or Needs()
        self._limits.check(name, needs)
        insort(self._waiting, ReadyStage(name, needs, remaining, self._count), key=lambda one: one.rank)
        self._count += 1

    def clear(self) -> None:
        """Forget what is ready; what runs goes on."""
        self._waiting.clear()

    def pop(self) -> str | None:
        """The stage to start now, which counts as running from here on; None when none may start."""
        if len(self._running) >= self._limits.jobs or self._held[ALONE] > 0:
            return None  # and the thousands that wait need not be looked at
        reserved: dict[str, float] = {}
        for one in self._waiting:
            if self._may_start(one.needs, reserved):
                self._waiting.remove(one)
                self._take(one.name, one.needs)
                return one.name
            if ALONE in one.needs.mutex and self._is_first(one):
                return None  # the others end, and then it is its turn: else it would wait for as long as any is ready
            if self._is_first(one):
                reserved.update(one.needs.resources)
        return None

    def release(self, name: str) -> None:
        """A running stage has ended, however it did."""
        needs = self._running.pop(name)
        for resource, amount in needs.resources.items():
            self._used[resource] -= amount
        self._held.subtract(needs.mutex)

    def running(self) -> list[str]:
        return list(self._running)

    def _is_first(self, one: ReadyStage) -> bool:
        return one is self._waiting[0]

    def _may_start(self, needs: Needs, reserved: Mapping[str, float]) -> bool:
        if ALONE in needs.mutex and self._running:
            return False
        if any(self._held[name] > 0 for name in needs.mutex):
            return False
        return all(self._fits(name, amount, reserved) for name, amount in needs.resources.items())

    def _fits(self, resource: str, amount: float, reserved: Mapping[str, float]) -> bool:
        limit = self._limits.resources.get(resource)
        return limit is None or self._used.get(resource, 0.0) + reserved.get(resource, 0.0) + amount <= limit + _FULL

    def _take(self, name: str, needs: Needs) -> None:
        self._running[name] = needs
        for resource, amount in needs.resources.items():
            self._used[resource] = self._used.get(resource, 0.0) + amount
        self._held.update(needs.mutex)


class Retries(Struct, frozen=True):
    """How often a failed stage is tried again, and how long is waited before: doubled each time, with jitter."""

    count: int = 0
    first_wait: float = 1.0
    longest_wait: float = 60.0

    def wait(self, failures: int) -> float | None:
        """Seconds to wait after so many failures in a row; None when there is no further try."""
        if failures > self.count:
            return None
        longest = min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1))
        return longest * random.uniform(0.5, 1.0)
