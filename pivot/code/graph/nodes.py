"""The entry graph while it is made: nodes shared by all stages, numbered for each stage at the end."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping

import xxhash
from msgspec import Struct

from pivot.code.graph.manifest import Entry, Manifest, Remark

_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_AS_TEXT = re.compile(r"\b(?:str|repr|print|format|map)\s*\(|\bf['\"]|%")


_WORD = re.compile(r"\w+")
# Code that holds one of these may ask an object for an attribute whose name only the run knows.
_COMPUTED = (
    *("all ", "X:builtins.getattr", "X:builtins.vars", "X:builtins.dir", "X:builtins.eval", "X:builtins.exec"),
    *("X:operator.attrgetter", "X:operator.methodcaller", "X:inspect.getmembers"),
)


class SourcePlace(Struct, frozen=True):
    """Where an entry is defined: the project-relative path, the 1-based line, and its source text."""

    file: str
    line: int
    source: str = ""


class Node:
    """One entry: tokens of its own, and edges to what it refers to, in the order in which it does."""

    __slots__ = (
        *("_digest", "annotations", "edges", "hints", "listing", "name", "passing", "place", "qualname", "reads"),
        *("tokens", "valued"),
    )  # fmt: skip

    def __init__(self, name: str, qualname: str, place: SourcePlace) -> None:
        self.name = name
        self.qualname = qualname
        self.place = place
        self.tokens: list[str] = []
        self.edges: list[tuple[str, Node]] = []
        self.hints: list[Node] = []  # classes that its annotations name
        self.passing: frozenset[str] = frozenset()  # files that it imports and that define names only
        self.reads: frozenset[str] = frozenset()  # what its code asks of functions: see `Syntax`
        self.annotations: Callable[[], str] | None = None
        self.listing = ""  # what `--diff` compares where no source text counts
        self.valued = False  # a parameter class without its defaults: see `valued`
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
        self.hints.clear()
        self._digest = None

    @property
    def digest(self) -> str:
        if self._digest is None:
            joined = "\0".join(self.tokens).encode("utf-8", "surrogatepass")
            self._digest = xxhash.xxh3_128_hexdigest(joined)
        return self._digest


def manifest_of(
    root: Node,
    remarks: dict[Node, tuple[Remark, ...]],
    whole: Callable[[str], str],
    hung: Mapping[str, Node] | None = None,
    said: str = "",
) -> Manifest:
    """All nodes that `root` reaches, numbered in order of first reach (breadth first).

    `whole` gives a digest of all that a file of the project says; `hung` are entries that count where the code, or
    what is `said` beside it, names an attribute.
    """
    order, number, hinted = _reached(root)
    if hung:
        hinted = _with_hung(order, number, hinted, hung, said)
    names = _names(order)
    digests = [node.digest for node in order]
    asked: frozenset[str] = frozenset().union(*(node.reads for node in order))
    if asked:
        # Some code asks functions for their names: here, and only here, they are part of what the stage is.
        root_says = "\0".join([digests[0], *_told(order, asked, whole)])
        digests[0] = xxhash.xxh3_128_hexdigest(root_says.encode("utf-8", "surrogatepass"))
    entries = tuple(
        Entry(
            name,
            digest,
            node.place.file,
            node.place.line,
            tuple((label, number[target]) for label, target in (*node.edges, *(hinted if node is root else ()))),
            node.place.source or node.listing,
        )
        for name, digest, node in zip(names, digests, order, strict=True)
    )
    told = {remark: None for node in order for remark in remarks.get(node, ())}
    passing: frozenset[str] = frozenset().union(*(node.passing for node in order))
    return Manifest(entries, tuple(told), tuple(sorted(passing)))


def reachable(root: Node) -> Iterator[Node]:
    """The node and all that its edges lead to, each once, breadth first."""
    order, seen = [root], {root}
    for node in order:
        yield node
        fresh = dict.fromkeys(target for _, target in node.edges if target not in seen)
        order += fresh
        seen.update(fresh)


def _reached(root: Node) -> tuple[list[Node], dict[Node, int], list[tuple[str, Node]]]:
    """The nodes in order, their numbers, and the edges of the root to classes that only annotations name.

    A class that is reached anyway is not hinted at: an annotation that is added to a helper is no change then.
    """
    order, number = [root], {root: 0}
    hinted: list[tuple[str, Node]] = []
    followed = asked = 0
    valued: set[str] | None = None
    while asked < len(order):
        if followed < len(order):
            targets = [target for _, target in order[followed].edges]
            followed += 1
        else:
            if valued is None:
                valued = {node.qualname for node in order if node.valued}
            targets = [one for one in order[asked].hints if one not in number and one.qualname not in valued]
            hinted += [("hint", target) for target in dict.fromkeys(targets)]
            asked += 1
        for target in targets:
            if target not in number:
                number[target] = len(order)
                order.append(target)
    return order, number, hinted


def _with_hung(
    order: list[Node],
    number: dict[Node, int],
    hinted: list[tuple[str, Node]],
    hung: Mapping[str, Node],
    said: str,
) -> list[tuple[str, Node]]:
    """The edges of the root, with those to what libraries were given under names that the code asks for."""
    words, looked, open_names = set(_WORD.findall(said)), 0, dict(hung)
    while open_names:
        for node in order[looked:]:
            found = _WORD.findall(" ".join(node.tokens))
            words.update(found, (word[1:] for word in found if word[0] == "s"))  # a literal begins with its kind
            if "imports" in node.reads or any(token.startswith(_COMPUTED) for token in node.tokens):
                words.update(open_names)
        looked = len(order)
        named = [(name, open_names.pop(name)) for name in sorted(open_names.keys() & words)]
        if not named:
            break
        hinted = [*hinted, *((f"hung:{name}", node) for name, node in named)]
        fresh = dict.fromkeys(target for _, node in named for target in reachable(node) if target not in number)
        number.update(zip(fresh, range(len(order), len(order) + len(fresh)), strict=True))
        order += fresh
    return hinted


def _told(order: list[Node], asked: frozenset[str], whole: Callable[[str], str]) -> list[str]:
    """What reflection can see of the entries and no digest of theirs holds."""
    found = []
    if "names" in asked:
        found += sorted(node.name.removesuffix(" (decorated)") for node in order)
    if "annotations" in asked or ("signature" in asked and _reads_annotations(order, asked)):
        found += sorted(node.annotations() for node in order if node.annotations is not None)
    if "docs" in asked:
        found += sorted(filter(None, (_docstring(node) for node in order)))
    if "source" in asked:
        found += sorted(node.place.source for node in order if not node.name.startswith("const:"))
    if "imports" in asked:
        # A module that is reached for one name may be asked for another; one that is not is known from the run.
        own = {node.place.file for node in order if "imports" in node.reads} | {order[0].place.file}
        found += sorted(map(whole, {node.place.file for node in order} - own))
    return found


def _reads_annotations(order: list[Node], asked: frozenset[str]) -> bool:
    """Whether code that asks for a signature may use more of it than names and defaults, as estimators do."""
    asking = (node for node in order if "signature" in node.reads)
    return "annotation" in asked or not all(
        "parameters" in node.reads and not _AS_TEXT.search(node.place.source) for node in asking
    )


def _docstring(node: Node) -> str:
    try:
        (tree,) = ast.parse(textwrap.dedent(node.place.source)).body
    except (SyntaxError, ValueError):
        return ""
    return (ast.get_docstring(tree) if isinstance(tree, _DOCUMENTED) else None) or ""


def _names(order: list[Node]) -> list[str]:
    """Short names; the qualified one where two entries share the short one."""
    count: dict[str, int] = {}
    for node in order:
        count[node.name] = count.get(node.name, 0) + 1
    return [node.name if count[node.name] == 1 else node.qualname for node in order]
