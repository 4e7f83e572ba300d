"""What differs between a stage's last record and its situation now: the reasons that `--explain` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from pivot.canonical import canonical_json
from pivot.code.analysis.model import AnalysedStage
from pivot.plan.decision import Change, Reason, ReasonKind
from pivot.plan.situation import artifacts
from pivot.state.records import Info, Record


class Past(Struct, frozen=True):
    """The record that a stage is compared with, and what was said about one run of it."""

    record: Record
    info: Info | None


class _Side(Struct, frozen=True):
    """What a stage is compared with: names and places of the nodes of its code, and what a record holds.

    `lines` says where artifacts are declared, by title.
    """

    names: list[tuple[str, str]]
    code: Mapping[str, Any]
    params: Mapping[str, Any]
    deps: Mapping[str, str]
    spec: Mapping[str, Any]
    lines: Mapping[str, str]


def differences(
    past: Past, stage: AnalysedStage, deps: Mapping[str, str], sizes: Mapping[str, int]
) -> tuple[Reason, ...]:
    """All reasons for which `stage` is not in the situation of `past`; `deps` may lack paths not known yet.

    `sizes` gives bytes for dep paths where they are known, for display only.
    """
    spec, entries = stage.spec, stage.manifest.entries
    names = [(entry.name, f"{entry.file}:{entry.line}") for entry in entries]
    lines = {artifact.key: str(artifact.where) for artifact in (*spec.deps, *spec.outs)}
    return _compare(past, _Side(names, stage.manifest.graph(), spec.params, deps, artifacts(spec), lines), sizes)


def differences_between(old: Past, new: Past) -> tuple[Reason, ...]:
    """All reasons for which two records are of different situations."""
    record = new.record
    return _compare(old, _Side(_entry_names(new, {}), record.code, record.params, record.deps, record.spec, {}), {})


def _compare(past: Past, new: _Side, sizes: Mapping[str, int]) -> tuple[Reason, ...]:
    old = past.record
    if not (_is_told(old.code, old.params, old.spec) and _is_told(new.code, new.params, new.spec)):
        return (Reason(ReasonKind.SPEC, "A record does not tell what it was made from"),)
    found = (
        _reason(ReasonKind.CODE, "Code dependency changed", _code_changes(past, new)),
        _reason(ReasonKind.PARAMS, "Parameter changed", _value_changes(old.params, new.params)),
        _reason(ReasonKind.DATA, "Input data changed", _data_changes(old.deps, new.deps, sizes)),
        _reason(ReasonKind.SPEC, "Input or output declared differently", _artifact_changes(old.spec, new)),
    )
    return tuple(reason for reason in found if reason)


def _is_told(code: object, params: object, spec: object) -> bool:
    """Whether a record has the parts that are compared: one that a stranger made gives its own name, and no more."""
    if not (isinstance(code, dict) and isinstance(params, dict) and isinstance(spec, dict)):
        return False
    nodes, edges = code.get("nodes"), code.get("edges")
    if not (isinstance(nodes, list) and isinstance(edges, list) and len(nodes) == len(edges)):
        return False
    targets = [edge for of in edges for edge in (of if isinstance(of, list) else [None])]
    artifacts = [item for kind in ("deps", "outs") for item in _listed(spec.get(kind))]
    are_edges = all(_is_edge(edge, len(nodes)) for edge in targets)
    return are_edges and all(isinstance(node, str) for node in nodes) and all(map(_is_artifact, artifacts))


def _listed(items: object) -> list[object]:
    return list(items) if isinstance(items, list | tuple) else [None]


def _is_edge(edge: object, count: int) -> bool:
    return isinstance(edge, list | tuple) and len(edge) == 2 and type(edge[1]) is int and 0 <= edge[1] < count


def _is_artifact(item: object) -> bool:
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("key", "kind", "loader")):
        return False
    texts = [*_listed(item.get("flags")), *_listed(item.get("paths"))]
    return all(isinstance(text, str) for text in texts)


def _reason(why: ReasonKind, text: str, changes: Iterable[Change]) -> Reason | None:
    listed = tuple(changes)
    return Reason(why, text, listed) if listed else None


class _Node(Struct, frozen=True):
    """An entry of either side: its own digest, and the display names that its references resolve to."""

    digest: str
    targets: tuple[tuple[str, str], ...]
    where: str


def _code_changes(past: Past, side: _Side) -> list[Change]:
    if side.code == past.record.code:
        return []
    new = _graph_nodes(side.names, side.code)
    known = dict(zip(side.code["nodes"], side.names, strict=True))
    old = _graph_nodes(_entry_names(past, known), past.record.code)
    changes = [_entry_change(name, old.get(name), new.get(name)) for name in [*new, *(n for n in old if n not in new)]]
    return [change for change in changes if change] or [Change("code", None, None, note="moved or renamed")]


def _entry_names(past: Past, known: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """Name and place of each node of the record; without an info, by digest from what is `known` of the other side."""
    nodes = past.record.code["nodes"]
    if past.info and len(past.info.entries) == len(nodes):
        return [(name, f"{file}:{line}") for name, file, line in past.info.entries]
    return [known.get(digest, (f"entry:{digest[:8]}", "")) for digest in nodes]


def _graph_nodes(names: list[tuple[str, str]], graph: Mapping[str, Any]) -> dict[str, _Node]:
    edges = [[(reference, target) for reference, target in of] for of in graph["edges"]]
    return _nodes(list(zip((n for n, _ in names), graph["nodes"], edges, (w for _, w in names), strict=True)))


def _nodes(rows: list[Any]) -> dict[str, _Node]:
    names = [row[0] for row in rows]
    seen = Counter(names)
    keyed = [name if seen[name] == 1 else f"{name} ({row[3]})" for name, row in zip(names, rows, strict=True)]
    return {
        key: _Node(digest, tuple((reference, names[target]) for reference, target in edges), where)
        for key, (_, digest, edges, where) in zip(keyed, rows, strict=True)
    }


def _entry_change(name: str, old: _Node | None, new: _Node | None) -> Change | None:
    if old is None and new is not None:
        return Change(name, None, new.digest, new.where)
    if new is None and old is not None:
        return Change(name, old.digest, None, old.where)
    assert old is not None and new is not None
    if old.digest != new.digest:
        return Change(name, old.digest, new.digest, new.where)
    rebound = [
        f"{reference} is now {target}"
        for reference, target in new.targets
        if dict(old.targets).get(reference, target) != target
    ]
    return Change(name, old.digest, new.digest, new.where, note="; ".join(rebound)) if rebound else None


def _value_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    return [
        Change(name, _text(old, name), _text(new, name))
        for name in sorted({*old, *new})
        if canonical_json([old.get(name)]) != canonical_json([new.get(name)]) or (name in old) != (name in new)
    ]


def _text(values: Mapping[str, Any], name: str) -> str | None:
    return repr(values[name]) if name in values else None


def _data_changes(old: Mapping[str, str], new: Mapping[str, str], sizes: Mapping[str, int]) -> list[Change]:
    # A path that is no longer declared is a change of the declaration, not of the data.
    return [
        Change(path, old[path], new[path], note=f"{sizes[path]} bytes" if path in sizes else "")
        for path in sorted(new)
        if path in old and old[path] != new[path]
    ]


def _artifact_changes(old: Mapping[str, Any], side: _Side) -> list[Change]:
    changes = []
    for kind, title in (("deps", "input"), ("outs", "output")):
        before = {item["key"]: item for item in old[kind]}
        now = {item["key"]: item for item in side.spec[kind]}
        for key in [*now, *(key for key in before if key not in now)]:
            if before.get(key) != now.get(key):
                changes.append(
                    Change(
                        f"{title}:{key}",
                        _artifact_text(before.get(key)),
                        _artifact_text(now.get(key)),
                        side.lines.get(key, ""),
                    )
                )
    return changes


def _artifact_text(item: Mapping[str, Any] | None) -> str | None:
    if item is None:
        return None
    flags = f" ({', '.join(item['flags'])})" if item["flags"] else ""
    return f"{item['kind']} {', '.join(item['paths'])}{flags}, loader {item['loader'][:8]}"
