"""Which stages are next, and in which order those that must run start."""

from __future__ import annotations

from pivot.graph import Graph
from pivot.schedule.ready_set import ReadySet, longest_paths

DIAMOND = Graph(("a", "b", "c", "d"), {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")})


def test_a_stage_is_ready_once_all_its_upstreams_have_ended() -> None:
    frontier = ReadySet(DIAMOND, DIAMOND.order)
    assert frontier.take() == ["a"]
    frontier.end("a")
    assert frontier.take() == ["b", "c"]
    frontier.end("b")
    assert frontier.take() == []
    frontier.end("c")
    assert frontier.take() == ["d"]


def test_upstreams_outside_the_run_are_not_waited_for() -> None:
    assert ReadySet(DIAMOND, ["d"]).take() == ["d"]


def test_what_was_taken_is_not_offered_again_but_is_left_until_it_ends() -> None:
    frontier = ReadySet(DIAMOND, DIAMOND.order)
    frontier.take()
    assert (frontier.take(), frontier.left()) == ([], ["a", "b", "c", "d"])


def test_a_stage_that_runs_already_is_held_back() -> None:
    frontier = ReadySet(DIAMOND, DIAMOND.order)
    frontier.hold("a")
    assert not frontier.has_ready()
    frontier.end("a")
    assert frontier.take() == ["b", "c"]


def test_past_durations_count_for_the_longest_path() -> None:
    assert longest_paths(DIAMOND, {"c": 5.0}) == {"a": 7.0, "b": 2.0, "c": 6.0, "d": 1.0}


def test_an_end_is_awaited_where_it_makes_another_stage_ready() -> None:
    frontier = ReadySet(DIAMOND, DIAMOND.order)
    assert [frontier.is_awaited(name) for name in DIAMOND.order] == [True, False, False, False]
    frontier.end("b")
    assert frontier.is_awaited("c")
