"""Which stages are next, and in which order those that must run start."""

from __future__ import annotations

from pivot.graph import Graph
from pivot.schedule.ready_set import ReadySet, longest_paths

DIAMOND = Graph(("a", "b", "c", "d"), {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")})


def test_a_stage_is_ready_once_all_its_upstreams_have_ended() -> None:
    ready_set = ReadySet(DIAMOND, DIAMOND.order)
    assert ready_set.take() == ["a"]
    ready_set.end("a")
    assert ready_set.take() == ["b", "c"]
    ready_set.end("b")
    assert ready_set.take() == []
    ready_set.end("c")
    assert ready_set.take() == ["d"]


def test_upstreams_outside_the_run_are_not_waited_for() -> None:
    assert ReadySet(DIAMOND, ["d"]).take() == ["d"]


def test_what_was_taken_is_not_offered_again_but_is_left_until_it_ends() -> None:
    ready_set = ReadySet(DIAMOND, DIAMOND.order)
    ready_set.take()
    assert (ready_set.take(), ready_set.left()) == ([], ["a", "b", "c", "d"])


def test_a_stage_that_runs_already_is_held_back() -> None:
    ready_set = ReadySet(DIAMOND, DIAMOND.order)
    ready_set.hold("a")
    assert not ready_set.has_ready()
    ready_set.end("a")
    assert ready_set.take() == ["b", "c"]


def test_past_durations_count_for_the_longest_path() -> None:
    assert longest_paths(DIAMOND, {"c": 5.0}) == {"a": 7.0, "b": 2.0, "c": 6.0, "d": 1.0}


def test_an_end_is_awaited_where_it_makes_another_stage_ready() -> None:
    ready_set = ReadySet(DIAMOND, DIAMOND.order)
    assert [ready_set.is_awaited(name) for name in DIAMOND.order] == [True, False, False, False]
    ready_set.end("b")
    assert ready_set.is_awaited("c")
