"""What each stage of a run is doing: one state for a stage, and one table of the moves between states.

The table in `docs/architecture.md` is made from `MOVES`; a move that is not in it is a bug and raises at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from pivot.graph import Graph
from pivot.run.events import Ending
from pivot.schedule.ready_set import ReadySet


class StageState(Enum):
    """A stage waits for its upstreams, is ready to be decided on, and ends in one of the last seven states."""

    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    FETCHING = "fetching"
    RUNNING = "running"
    RETRYING = "retrying"
    RESTORING = "restoring"
    RAN = "ran"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    FAILED = "failed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


_ENDS: Mapping[StageState, Ending] = {
    StageState.RAN: "ran",
    StageState.UNCHANGED: "unchanged",
    StageState.RESTORED: "restored",
    StageState.FAILED: "failed",
    StageState.BLOCKED: "blocked",
    StageState.SKIPPED: "skipped",
    StageState.CANCELLED: "skipped",
}


def _states(names: str) -> frozenset[StageState]:
    return frozenset(map(StageState, names.split()))


# Blocked and skipped are also the ends of what a run does not get to. Whatever has not ended waits again when the run
# is planned again; what has ended does so where an edit reaches it.
MOVES: Mapping[StageState, frozenset[StageState]] = {
    StageState.WAITING: _states("ready blocked skipped"),
    StageState.READY: _states("waiting queued fetching restoring unchanged failed blocked skipped"),
    StageState.QUEUED: _states("waiting fetching running failed blocked skipped"),
    StageState.FETCHING: _states("waiting running restoring unchanged failed"),
    StageState.RUNNING: _states("waiting retrying ran failed cancelled skipped"),
    StageState.RETRYING: _states("waiting queued failed blocked skipped"),
    StageState.RESTORING: _states("waiting restored failed"),
    **{end: _states("waiting") for end in _ENDS},
}

_UNDER_WAY = frozenset({StageState.RUNNING, StageState.RETRYING})


class UnknownMove(Exception):
    """A stage was about to go from one state to another one in a way that `MOVES` does not have."""


class StageStates:
    """The states of all stages of a run, and which of them are ready."""

    def __init__(self) -> None:
        self._states: dict[str, StageState] = {}
        self._graph = Graph((), {})
        self._ready = ReadySet(self._graph, ())

    def __getitem__(self, stage: str) -> StageState:
        return self._states[stage]

    def get(self, stage: str) -> StageState | None:
        """The state of a stage, or None where it is not part of the run."""
        return self._states.get(stage)

    def plan(self, graph: Graph, stages: Iterable[str]) -> None:
        """Go by another plan: what has ended or is under way stays so; all else waits, or is ready, by this graph."""
        wanted = dict.fromkeys(stages)
        for stage, state in list(self._states.items()):
            if state in _ENDS or state is StageState.RUNNING or (state is StageState.RETRYING and stage in wanted):
                continue
            if stage in wanted:
                self._set(stage, StageState.WAITING)
            else:
                del self._states[stage]
        for stage in wanted:
            self._states.setdefault(stage, StageState.WAITING)
        self._graph = graph
        self._ready = ReadySet(graph, [stage for stage in wanted if self._states[stage] not in _ENDS])
        for stage in self.all(*_UNDER_WAY):
            self._ready.hold(stage)
        for stage in self._ready.ready():
            self._set(stage, StageState.READY)

    def move(self, stage: str, to: StageState) -> None:
        """Put a stage into another state; what waited only for its end becomes ready.

        Raises:
            UnknownMove: there is no such move.
        """
        self._set(stage, to)
        if to in _ENDS:
            self._states[stage] = self._states.pop(stage)  # in the order in which they end
            for ready in self._ready.end(stage):
                if self._states[ready] is StageState.WAITING:
                    self._set(ready, StageState.READY)

    def next_ready(self) -> str | None:
        """The first of the stages that are ready; each is given once."""
        while (stage := self._ready.take_one()) is not None:
            if self._states[stage] is StageState.READY:
                return stage
        return None

    def has_ready(self) -> bool:
        return self._ready.has_ready()

    def is_awaited(self, stage: str) -> bool:
        """Whether the end of a stage makes others ready."""
        return self._ready.is_awaited(stage)

    def all(self, *states: StageState) -> list[str]:
        """The stages that are in one of these states."""
        return [stage for stage, state in self._states.items() if state in states]

    def left(self) -> list[str]:
        """The stages of the plan that have not ended, in running order."""
        return self._ready.left()

    def endings(self) -> dict[str, Ending]:
        """How those stages ended that did, in the order in which they did."""
        return {stage: _ENDS[state] for stage, state in self._states.items() if state in _ENDS}

    def _set(self, stage: str, to: StageState) -> None:
        before = self._states[stage]
        if to is not before and to not in MOVES[before]:
            raise UnknownMove(f"{stage} is {before.value} and cannot be {to.value}")
        self._states[stage] = to
