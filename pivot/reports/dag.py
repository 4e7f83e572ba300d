"""The stages and what connects them: as a text drawing, Mermaid, DOT or data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from pivot.graph import Graph, Producers, draw
from pivot.pipeline.spec import StageSpec


class Drawing(Struct, frozen=True):
    """Nodes in running order, `shape` by node (`stage` or `path`), and edges from what is needed to what needs it."""

    shapes: dict[str, str]
    edges: tuple[tuple[str, str], ...]


def stage_drawing(graph: Graph, names: Sequence[str]) -> Drawing:
    """Stages alone."""
    shapes = dict.fromkeys(names, "stage")
    edges = tuple((above, name) for name in names for above in graph.upstream[name] if above in shapes)
    return Drawing(shapes, edges)


def path_drawing(specs: Sequence[StageSpec], producers: Producers) -> Drawing:
    """Stages with the paths between them."""
    shapes: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    for spec in specs:
        for path in (*spec.dep_paths(), *spec.external_paths()):
            shapes.setdefault(path, "path")
            edges += [(out, path) for _, out in producers.of(path) if out != path]
            edges.append((path, spec.name))
        shapes[spec.name] = "stage"
        for path in spec.out_paths():
            shapes.setdefault(path, "path")
            edges.append((spec.name, path))
    return Drawing(shapes, tuple(dict.fromkeys(edges)))


def as_text(drawing: Drawing) -> Iterator[str]:
    yield from draw(drawing.shapes, drawing.edges)


def as_mermaid(drawing: Drawing) -> Iterator[str]:
    number = {node: f"n{index}" for index, node in enumerate(drawing.shapes)}
    yield "flowchart TD"
    for node, shape in drawing.shapes.items():
        text = node.replace('"', "#quot;")
        yield f'    {number[node]}["{text}"]' if shape == "stage" else f'    {number[node]}(["{text}"])'
    for above, below in drawing.edges:
        yield f"    {number[above]} --> {number[below]}"


def as_dot(drawing: Drawing) -> Iterator[str]:
    yield "digraph {"
    for node, shape in drawing.shapes.items():
        yield f"    {_quoted(node)} [shape={'box' if shape == 'stage' else 'ellipse'}];"
    for above, below in drawing.edges:
        yield f"    {_quoted(above)} -> {_quoted(below)};"
    yield "}"


def as_document(specs: Sequence[StageSpec], graph: Graph) -> dict[str, object]:
    """`dag --json`: each stage with its upstreams and paths, in running order."""
    return {
        "version": 1,
        "stages": [
            {
                "stage": spec.name,
                "pipeline": spec.pipeline,
                "file": spec.file,
                "upstream": list(graph.upstream[spec.name]),
                "deps": [*spec.dep_paths(), *spec.external_paths()],
                "outs": spec.out_paths(),
            }
            for spec in specs
        ],
    }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
