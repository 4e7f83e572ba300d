"""Which stages of a run are next: those whose upstreams in this run have all ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pivot.graph import Graph


class ReadySet:
    """Counts, for each stage not yet ended, the upstreams it still waits for."""

    def __init__(self, graph: Graph, names: Iterable[str]) -> None:
        self._graph = graph
        self._left = set(names)
        self._waits = {name: sum(above in self._left for above in graph.upstream[name]) for name in self._left}
        self._ready = [name for name in graph.order if self._waits.get(name) == 0]

    def hold(self, name: str) -> None:
        """Do not offer a stage that is running already."""
        self._ready = [ready for ready in self._ready if ready != name]

    def ready(self) -> list[str]:
        """The stages that `take` would give."""
        return list(self._ready)

    def has_ready(self) -> bool:
        return bool(self._ready)

    def take_one(self) -> str | None:
        """The first of the stages that `take` would give, or None."""
        return self._ready.pop(0) if self._ready else None

    def take(self) -> list[str]:
        """The stages that have become ready since the last call, in running order."""
        ready, self._ready = self._ready, []
        return ready

    def end(self, name: str) -> list[str]:
        """A stage has ended, however it did: what waited only for it becomes ready and is given."""
        if name not in self._left:  # nothing waits for what is not part of the run
            return []
        self._left.discard(name)
        ready: list[str] = []
        for below in self._graph.downstream[name]:
            if below in self._left:
                self._waits[below] -= 1
                if self._waits[below] == 0:
                    ready.append(below)
        self._ready += ready
        return ready

    def is_awaited(self, name: str) -> bool:
        """Whether the end of a stage makes others ready."""
        return any(self._waits.get(below) == 1 for below in self._graph.downstream[name] if below in self._left)

    def left(self) -> list[str]:
        """What has not ended, in running order."""
        return [name for name in self._graph.order if name in self._left]


def longest_paths(graph: Graph, seconds: Mapping[str, float]) -> dict[str, float]:
    """For each stage the time of the longest chain that starts with it; `seconds` are past durations (unknown: 1)."""
    length: dict[str, float] = {}
    for name in reversed(graph.order):
        below = max((length[stage] for stage in graph.downstream[name]), default=0.0)
        length[name] = seconds.get(name, 1.0) + below
    return length
