"""How stages end that a run never started."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pivot.graph import Graph
from pivot.run.events import NOT_STARTED, Ending, StageEnded


def leave_out(
    graph: Graph,
    left: Iterable[str],
    endings: Mapping[str, Ending],
    resting: Collection[str],
    unfit: Collection[str],
) -> Iterator[StageEnded]:
    """What is left needs a failed stage, or the run was stopped; each end is in `endings` before the next is asked.

    `resting` waited for another try, `unfit` did not fit into the time that was left.
    """
    for name in left:
        above = [one for one in graph.upstream[name] if endings.get(one) in ("failed", "blocked")]
        if above:
            yield StageEnded(name, "blocked", message=f"Upstream failed or blocked: {', '.join(above)}")
        elif name in resting:
            yield StageEnded(name, "failed", message="it failed, and the run ended before another try")
        elif name in unfit:
            yield StageEnded(name, "skipped", message="the time left does not suffice (--budget)")
        else:
            yield StageEnded(name, "skipped", message=NOT_STARTED)
