"""One state for each stage of a run, and no move that the table does not have."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pivot.graph import Graph
from pivot.run.stage_states import MOVES, StageState, StageStates, UnknownMove

S = StageState
CHAIN = Graph(("a", "b", "c"), {"a": (), "b": ("a",), "c": ("b",)})
ENDS = [S.RAN, S.UNCHANGED, S.RESTORED, S.FAILED, S.BLOCKED, S.SKIPPED, S.CANCELLED]
PATHS = {
    S.RAN: [S.QUEUED, S.RUNNING, S.RAN],
    S.UNCHANGED: [S.UNCHANGED],
    S.RESTORED: [S.RESTORING, S.RESTORED],
    S.FAILED: [S.QUEUED, S.RUNNING, S.RETRYING, S.QUEUED, S.RUNNING, S.FAILED],
    S.BLOCKED: [S.BLOCKED],
    S.SKIPPED: [S.QUEUED, S.SKIPPED],
    S.CANCELLED: [S.QUEUED, S.FETCHING, S.RUNNING, S.CANCELLED],
}


def planned(graph: Graph = CHAIN) -> StageStates:
    states = StageStates()
    states.plan(graph, graph.order)
    return states


def walk(states: StageStates, stage: str, *path: StageState) -> None:
    for state in path:
        states.move(stage, state)


def test_stages_without_upstreams_are_ready_and_the_others_wait() -> None:
    states = planned()
    assert [states[stage] for stage in "abc"] == [S.READY, S.WAITING, S.WAITING]


def test_a_ready_stage_is_given_once() -> None:
    states = planned()
    assert (states.next_ready(), states.next_ready()) == ("a", None)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.value)
def test_however_a_stage_ends_the_next_becomes_ready(end: StageState) -> None:
    states = planned()
    walk(states, "a", *PATHS[end])
    assert (states.next_ready(), states.next_ready(), states["b"]) == ("b", None, S.READY)


@pytest.mark.parametrize("before", S, ids=lambda state: state.value)
@pytest.mark.parametrize("after", S, ids=lambda state: state.value)
def test_only_moves_of_the_table_are_made(before: StageState, after: StageState) -> None:
    states = planned()
    states._states["a"] = before
    if after is before or after in MOVES[before]:
        states.move("a", after)
    else:
        with pytest.raises(UnknownMove, match=f"a is {before.value} and cannot be {after.value}"):
            states.move("a", after)


def test_every_state_can_be_reached_and_left_or_is_an_end() -> None:
    assert set(MOVES) == set(S) == {S.WAITING, *(state for moves in MOVES.values() for state in moves)}
    assert all(MOVES[end] == {S.WAITING} for end in ENDS)


def test_another_plan_keeps_what_ended_or_runs_and_forgets_what_it_has_not() -> None:
    graph = Graph(tuple("abcd"), dict.fromkeys("abcd", ()))
    states = planned(graph)
    walk(states, "a", *PATHS[S.RAN])
    walk(states, "b", S.QUEUED, S.RUNNING)
    walk(states, "c", S.QUEUED)
    states.plan(graph, ["a", "b", "c"])
    assert [states.get(stage) for stage in "abcd"] == [S.RAN, S.RUNNING, S.READY, None]
    assert states.next_ready() == "c" and states.next_ready() is None


def test_a_stage_that_runs_is_not_offered_when_its_upstream_ends_once_more() -> None:
    states = planned()
    walk(states, "a", *PATHS[S.RAN])
    walk(states, "b", S.QUEUED, S.RUNNING)
    states.move("a", S.WAITING)
    states.plan(CHAIN, CHAIN.order)
    walk(states, "a", *PATHS[S.RAN])
    assert states.next_ready() is None


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    upstream = {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True))) if at else ()
        for at, name in enumerate(names)
    }
    return Graph(tuple(names), upstream)


@given(graphs(), st.data())
def test_any_run_of_moves_ends_every_stage_after_its_upstreams(graph: Graph, data: st.DataObject) -> None:
    states, ended = planned(graph), list[str]()
    for _ in range(300):
        movable = [stage for stage in graph.order if stage not in ended and states[stage] is not S.WAITING]
        if not movable:
            break
        stage = data.draw(st.sampled_from(movable))
        to = data.draw(st.sampled_from(sorted(MOVES[states[stage]] - {S.WAITING}, key=lambda state: state.value)))
        states.move(stage, to)
        if to in ENDS:
            assert set(graph.upstream[stage]) <= set(ended)
            ended.append(stage)
        if data.draw(st.integers(0, 9)) == 0:
            states.plan(graph, graph.order)
        assert list(states.endings()) == ended
        assert set(states.left()) == set(graph.order) - set(ended)
        ready = {one for one in graph.order if one not in ended and set(graph.upstream[one]) <= set(ended)}
        assert ready == {one for one in states.left() if states[one] is not S.WAITING}
    else:
        return
    assert set(ended) == set(graph.order)
