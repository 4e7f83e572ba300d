"""Who needs whom: edges between stages follow from paths alone."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from pivot.errors import PipelineError
from pivot.pipeline.spec import StageSpec

PathKey = Callable[[str], str]


@dataclass(frozen=True)
class Graph:
    """Stages in running order, and for each the stages whose outputs it reads (its upstreams)."""

    order: tuple[str, ...]
    upstream: Mapping[str, tuple[str, ...]]

    @cached_property
    def downstream(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {name: [] for name in self.order}
        for name in self.order:
            for above in self.upstream[name]:
                found[above].append(name)
        return {name: tuple(below) for name, below in found.items()}

    def with_upstreams(self, names: Iterable[str]) -> set[str]:
        return _closure(names, self.upstream)

    def with_downstreams(self, names: Iterable[str]) -> set[str]:
        return _closure(names, self.downstream)


@dataclass(frozen=True, slots=True)
class Producers:
    """Which stage writes a path. `key` says when two spellings are one path (symlinks, Unicode form, case)."""

    by_path: Mapping[str, str]
    sorted_paths: tuple[str, ...]
    key: PathKey

    def of(self, path: str) -> list[tuple[str, str]]:
        """Pairs of a stage and its output path that `path` equals, lies in, or contains."""
        wanted = self.key(path)
        found = [(self.by_path[above], above) for above in _self_and_parents(wanted) if above in self.by_path]
        prefix = wanted + "/" if wanted else ""
        start = bisect.bisect_left(self.sorted_paths, prefix)
        for inside in self.sorted_paths[start:]:
            if not inside.startswith(prefix):
                break
            if inside != wanted:
                found.append((self.by_path[inside], inside))
        return found


def find_producers(specs: Iterable[StageSpec], key: PathKey = lambda path: path) -> Producers:
    by_path = {key(path): spec.name for spec in specs for path in spec.out_paths()}
    return Producers(by_path, tuple(sorted(by_path)), key)


def build_graph(specs: list[StageSpec], producers: Producers) -> Graph:
    """Connect the stages.

    Raises:
        PipelineError: the stages form a cycle; the sentence shows its path.
    """
    upstream: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        own = {stage for path in spec.dep_paths() for stage, _ in producers.of(path)}
        upstream[spec.name] = tuple(sorted(own))
    try:
        order = tuple(TopologicalSorter(upstream).static_order())
    except CycleError as error:
        # graphlib lists each stage before those that need it.
        cycle: list[str] = error.args[1]
        where = next(str(spec.where) for spec in specs if spec.name == cycle[0])
        raise PipelineError(
            f"the stages form a cycle: {' -> '.join(cycle)}",
            where=where,
            hint="A stage cannot need what is made from its own output: take one of these deps away.",
        ) from None
    return Graph(order, upstream)


def _self_and_parents(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _closure(names: Iterable[str], edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(edges[name])
    return found
