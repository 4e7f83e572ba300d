"""Who needs whom: edges between stages follow from paths alone."""

from __future__ import annotations

import bisect
import difflib
import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from pivot.errors import PipelineError
from pivot.pipeline.spec import StageSpec

PathKey = Callable[[str], str]


class Graph(Struct, frozen=True, dict=True):
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

    def beside(self, names: Iterable[str]) -> Graph:
        """With stages that nothing is connected to."""
        alone = tuple(names)
        return Graph((*self.order, *alone), {**self.upstream, **dict.fromkeys(alone, ())}) if alone else self

    def with_upstreams(self, names: Iterable[str]) -> set[str]:
        return _closure(names, self.upstream)

    def with_downstreams(self, names: Iterable[str]) -> set[str]:
        return _closure(names, self.downstream)


class Producers(Struct, frozen=True):
    """Which stage writes a path. `key` says when two spellings are one path (symlinks, Unicode form, case).

    `by_key` maps the key of an output to its stage and its path as declared.
    """

    by_key: Mapping[str, tuple[str, str]]
    sorted_keys: tuple[str, ...]
    key: PathKey

    def of(self, path: str) -> list[tuple[str, str]]:
        """Pairs of a stage and its output path that `path` equals, lies in, or contains."""
        wanted = self.key(path)
        found = [self.by_key[above] for above in _self_and_parents(wanted) if above in self.by_key]
        prefix = wanted + "/"
        start = bisect.bisect_left(self.sorted_keys, prefix)
        for inside in self.sorted_keys[start:]:
            if not inside.startswith(prefix):
                break
            found.append(self.by_key[inside])
        return found

    def closest(self, path: str) -> tuple[str, str] | None:
        """An output that may be meant by a path that nobody writes, with its stage: of the same name, or nearly."""
        name = path.rpartition("/")[2]
        same = [key for key in self.sorted_keys if key.rpartition("/")[2] == name]
        near = same or difflib.get_close_matches(self.key(path), self.sorted_keys, n=1, cutoff=0.8)
        return self.by_key[near[0]] if near else None


def find_producers(specs: Iterable[StageSpec], key: PathKey = lambda path: path) -> Producers:
    by_key = {key(path): (spec.name, path) for spec in specs for path in spec.out_paths()}
    return Producers(by_key, tuple(sorted(by_key)), key)


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
        raise _cycle(error.args[1], {spec.name: spec for spec in specs}, producers) from None
    return Graph(order, upstream)


def _cycle(names: list[str], specs: Mapping[str, StageSpec], producers: Producers) -> PipelineError:
    """The error for a cycle: which stage reads what of which, each with its place."""
    links = [_link(specs[below], above, producers) for above, below in itertools.pairwise(names)]
    return PipelineError(
        f"the stages form a cycle: {' -> '.join(names)}",
        where=str(specs[names[0]].where),
        hint="A stage cannot need what is made from its own output; take one of these deps away:\n    "
        + "\n    ".join(links),
    )


def _link(spec: StageSpec, above: str, producers: Producers) -> str:
    found = ((dep, path) for dep in spec.deps if dep.kind == "dep" for path in dep.paths)
    dep, path = next(one for one in found if above in {stage for stage, _ in producers.of(one[1])})
    return f"{dep.where}: {spec.name} reads {path}, which {above} writes"


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


def draw(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Lines of a text drawing; a node that is needed twice is drawn once and named again where it is needed."""
    import networkx  # 100 ms that only a drawing pays

    graph = networkx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    lines: Iterable[str] = networkx.generate_network_text(graph, vertical_chains=False, ascii_only=False)
    return lines
