"""The scheduler never exceeds a limit, never starves a stage, and keeps the critical path going."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pivot.errors import PipelineError
from pivot.schedule.scheduler import ALONE, Limits, Needs, Retries, Scheduler


def started(scheduler: Scheduler) -> list[str]:
    """All that may start now, in order."""
    names = []
    while name := scheduler.pop():
        names.append(name)
    return names


def test_the_longest_remaining_path_starts_first() -> None:
    scheduler = Scheduler(Limits(2))
    for name, remaining in {"short": 1, "long": 9, "middle": 5}.items():
        scheduler.push(name, remaining=remaining)
    assert started(scheduler) == ["long", "middle"]


def test_priority_goes_before_length() -> None:
    scheduler = Scheduler(Limits(1))
    scheduler.push("long", remaining=9)
    scheduler.push("urgent", Needs(priority=1), remaining=1)
    assert started(scheduler) == ["urgent"]


def test_equals_start_in_the_order_in_which_they_became_ready() -> None:
    scheduler = Scheduler(Limits(9))
    for name in "cab":
        scheduler.push(name)
    assert started(scheduler) == ["c", "a", "b"]


def test_no_more_than_jobs_run() -> None:
    scheduler = Scheduler(Limits(2))
    for name in "abc":
        scheduler.push(name)
    assert started(scheduler) == ["a", "b"]
    scheduler.release("a")
    assert started(scheduler) == ["c"]


def test_resources_are_shared_up_to_their_limit() -> None:
    scheduler = Scheduler(Limits(9, {"gpu": 1, "memory_gb": 8}))
    scheduler.push("a", Needs({"gpu": 0.5, "memory_gb": 5}))
    scheduler.push("b", Needs({"gpu": 0.5, "memory_gb": 5}))
    scheduler.push("c", Needs({"memory_gb": 3}))
    assert started(scheduler) == ["a"]
    scheduler.release("a")
    assert started(scheduler) == ["b", "c"]


def test_thirds_add_up() -> None:
    scheduler = Scheduler(Limits(9, {"gpu": 1}))
    for name in "abc":
        scheduler.push(name, Needs({"gpu": 1 / 3}))
    assert started(scheduler) == ["a", "b", "c"]


def test_a_resource_without_a_limit_limits_nothing() -> None:
    scheduler = Scheduler(Limits(9))
    scheduler.push("a", Needs({"anything": 1e9}))
    assert started(scheduler) == ["a"]


def test_a_stage_that_could_never_start_is_refused_with_the_setting() -> None:
    scheduler = Scheduler(Limits(9, {"gpu": 1}))
    with pytest.raises(PipelineError, match="train needs 2 of gpu, and there is 1") as caught:
        scheduler.push("train", Needs({"gpu": 2}))
    assert caught.value.hint == "git config pivot.resources.gpu 2"


def test_a_large_need_is_not_starved_by_small_ones() -> None:
    scheduler = Scheduler(Limits(9, {"gpu": 4}))
    scheduler.push("small 1", Needs({"gpu": 1}))
    assert started(scheduler) == ["small 1"]
    scheduler.push("large", Needs({"gpu": 4}), remaining=10)
    scheduler.push("small 2", Needs({"gpu": 1}))
    assert started(scheduler) == []
    scheduler.release("small 1")
    assert started(scheduler) == ["large"]


def test_a_mutex_is_held_by_one() -> None:
    scheduler = Scheduler(Limits(9))
    for name in "ab":
        scheduler.push(name, Needs(mutex=frozenset({"db"})))
    scheduler.push("c", Needs(mutex=frozenset({"other"})))
    assert started(scheduler) == ["a", "c"]
    scheduler.release("a")
    assert started(scheduler) == ["b"]


def test_alone_is_alone_and_gets_its_turn() -> None:
    scheduler = Scheduler(Limits(9))
    scheduler.push("before")
    assert started(scheduler) == ["before"]
    scheduler.push("alone", Needs(mutex=frozenset({ALONE})), remaining=5)
    scheduler.push("after")
    assert started(scheduler) == []
    scheduler.release("before")
    assert started(scheduler) == ["alone"]
    scheduler.release("alone")
    assert started(scheduler) == ["after"]


def test_waits_double_up_to_a_limit_and_end() -> None:
    retries = Retries(4, first_wait=1, longest_wait=3)
    waits = [retries.wait(failures) for failures in range(1, 6)]
    assert waits.pop() is None
    assert all(wait is not None and top / 2 <= wait <= top for wait, top in zip(waits, [1, 2, 3, 3], strict=True))
    assert Retries().wait(1) is None


class SchedulerMachine(RuleBasedStateMachine):
    """Whatever the order of events: limits hold, and what can run does."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(Limits(3, {"gpu": 4}))
        self.needs: dict[str, Needs] = {}
        self.running: list[str] = []

    @rule(
        gpu=st.integers(0, 4),
        mutex=st.frozensets(st.sampled_from(["a", "b", ALONE]), max_size=2),
        priority=st.integers(-1, 1),
        remaining=st.floats(0, 10),
    )
    def become_ready(self, gpu: int, mutex: frozenset[str], priority: int, remaining: float) -> None:
        name = str(len(self.needs))
        self.needs[name] = Needs({"gpu": gpu}, mutex, priority)
        self.scheduler.push(name, self.needs[name], remaining)

    @rule()
    def start(self) -> None:
        if name := self.scheduler.pop():
            self.running.append(name)
        else:
            assert self.running or not len(self.scheduler), "nothing runs, and nothing may start"

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.running))
        self.running.remove(name)
        self.scheduler.release(name)

    @invariant()
    def limits_hold(self) -> None:
        needs = [self.needs[name] for name in self.running]
        held = Counter(name for one in needs for name in one.mutex)
        assert len(needs) <= 3
        assert sum(one.resources["gpu"] for one in needs) <= 4
        assert all(count == 1 for count in held.values())
        assert not held[ALONE] or len(needs) == 1
        assert sorted(self.scheduler.running()) == sorted(self.running)


TestScheduler = SchedulerMachine.TestCase
TestScheduler.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
