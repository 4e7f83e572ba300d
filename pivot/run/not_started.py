"""How stages end that a run never started."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pivot.graph import Graph
from pivot.run.events import NOT_STARTED, StageEnded
from pivot.run.stage_states import StageState, StageStates


def leave_out(graph: Graph, states: StageStates, unfit: Collection[str]) -> Iterator[StageEnded]:
    """What is left needs a failed stage, or the run was stopped; each end is in `states` before the next is asked.

    `unfit` did not fit into the time that was left.
    """
    for name in states.left():
        above = [one for one in graph.upstream[name] if states.get(one) in (StageState.FAILED, StageState.BLOCKED)]
        if above:
            yield StageEnded(name, "blocked", message=f"Upstream failed or blocked: {', '.join(above)}")
        elif states[name] is StageState.RETRYING:
            yield StageEnded(name, "failed", message="it failed, and the run ended before another try")
        elif name in unfit:
            yield StageEnded(name, "skipped", message="the time left does not suffice (--budget)")
        else:
            yield StageEnded(name, "skipped", message=NOT_STARTED)
