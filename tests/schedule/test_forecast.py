"""The forecast plays the scheduling through."""

from __future__ import annotations

import pytest

from pivot.graph import Graph
from pivot.schedule.admission_queue import Work
from pivot.schedule.forecast import forecast
from pivot.schedule.scheduler import Limits, Needs

GRAPH = Graph(("a", "b", "c", "d"), {"a": (), "b": (), "c": ("a",), "d": ()})
SECONDS = {"a": 2.0, "b": 3.0, "c": 4.0, "d": 1.0}


@pytest.mark.parametrize(("jobs", "seconds"), [(1, 10.0), (2, 6.0), (9, 6.0)])
def test_time_follows_from_jobs_and_from_the_longest_chain(jobs: int, seconds: float) -> None:
    found = forecast(Work(GRAPH, seconds=SECONDS), GRAPH.order, Limits(jobs))
    assert (found.seconds, found.chain, found.chain_seconds, found.unknown) == (seconds, ("a", "c"), 6.0, 0)


def test_only_what_must_run_counts() -> None:
    found = forecast(Work(GRAPH, seconds=SECONDS), ["c", "d"], Limits(1))
    assert (found.seconds, found.chain) == (5.0, ("c",))


def test_a_mutex_counts() -> None:
    needs = {name: Needs(mutex=frozenset({"db"})) for name in "bd"}
    assert forecast(Work(GRAPH, needs, seconds=SECONDS), ["b", "d"], Limits(2)).seconds == 4.0


def test_what_never_ran_counts_for_nothing_and_is_counted() -> None:
    found = forecast(Work(GRAPH, seconds={"a": 2.0}), GRAPH.order, Limits(2))
    assert (found.seconds, found.unknown) == (2.0, 3)


def test_nothing_to_run_takes_no_time() -> None:
    found = forecast(Work(GRAPH), [], Limits(2))
    assert (found.seconds, found.chain) == (0.0, ())
