"""The entry graph while it is made: nodes shared by all stages, numbered for each stage at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xxhash

from pivot.code.manifest import Entry, Manifest, Remark


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is defined: the project-relative path, the 1-based line, and its source text."""

    file: str
    line: int
    source: str = ""


class Node:
    """One entry: tokens of its own, and edges to what it refers to, in the order in which it does."""

    __slots__ = ("_digest", "annotations", "edges", "name", "place", "qualname", "reads", "tokens")

    def __init__(self, name: str, qualname: str, place: Place) -> None:
        self.name = name
        self.qualname = qualname
        self.place = place
        self.tokens: list[str] = []
        self.edges: list[tuple[str, Node]] = []
        self.reads: frozenset[str] = frozenset()  # what its code asks of functions: see `syntax.Asked`
        self.annotations: Callable[[], str] | None = None
        self._digest: str | None = None

    def text(self, token: str) -> None:
        self.tokens.append(token)

    def edge(self, node: Node, label: str | None = None) -> None:
        """Refer to `node`; the label says which reference it is, never how the source names it."""
        self.tokens.append(f"@{len(self.edges)}")
        self.edges.append((str(len(self.edges)) if label is None else label, node))

    def clear(self) -> None:
        """Forget what was written, before it is written in another way."""
        self.tokens.clear()
        self.edges.clear()
        self._digest = None

    @property
    def digest(self) -> str:
        if self._digest is None:
            joined = "\0".join(self.tokens).encode("utf-8", "surrogatepass")
            self._digest = xxhash.xxh3_128_hexdigest(joined)
        return self._digest


def manifest_of(root: Node, remarks: dict[int, tuple[Remark, ...]]) -> Manifest:
    """All nodes that `root` reaches, numbered in order of first reach (breadth first)."""
    order = [root]
    number = {id(root): 0}
    for node in order:
        for _, target in node.edges:
            if id(target) not in number:
                number[id(target)] = len(order)
                order.append(target)
    names = _names(order)
    digests = [node.digest for node in order]
    asked: frozenset[str] = frozenset().union(*(node.reads for node in order))
    if asked:
        # Some code asks functions for their names: here, and only here, they are part of what the stage is.
        told = "\0".join([digests[0], *_told(order, asked)])
        digests[0] = xxhash.xxh3_128_hexdigest(told.encode("utf-8", "surrogatepass"))
    entries = tuple(
        Entry(
            name,
            digest,
            node.place.file,
            node.place.line,
            tuple((label, number[id(target)]) for label, target in node.edges),
            node.place.source,
        )
        for name, digest, node in zip(names, digests, order, strict=True)
    )
    said = {remark: None for node in order for remark in remarks.get(id(node), ())}
    return Manifest(entries, tuple(said))


def _told(order: list[Node], asked: frozenset[str]) -> list[str]:
    """What reflection can see of the entries and no digest of theirs holds."""
    found = []
    if "names" in asked:
        found += sorted(node.name.removesuffix(" (decorated)") for node in order)
    if "annotations" in asked:
        found += sorted(node.annotations() for node in order if node.annotations is not None)
    if "source" in asked:
        found += sorted(node.place.source for node in order if not node.name.startswith("const:"))
    return found


def _names(order: list[Node]) -> list[str]:
    """Short names; the qualified one where two entries share the short one."""
    count: dict[str, int] = {}
    for node in order:
        count[node.name] = count.get(node.name, 0) + 1
    return [node.name if count[node.name] == 1 else node.qualname for node in order]
