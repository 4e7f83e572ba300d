"""Finished stages to put into a run cache, small and told apart by a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pivot.git.output_tree import nest
from pivot.state.journal import Finished, Reach
from pivot.state.records import Info, Output, Record


def record(number: int, result: str = "a") -> Record:
    """A situation by number; `result` is one hex digit."""
    path = f"out/{number}.json"
    outs = {path: Output(result * 40, 0o100644, number)}
    code = {"nodes": [digest(number)], "edges": [[]]}
    return Record(code, {}, declares(path), {"data.json": "1" * 40}, outs, nest(outs, lambda _oid, _data: None))


def declares(*paths: str, kind: str = "out", flags: Sequence[str] = ()) -> dict[str, Any]:
    """The declarations of a stage that reads nothing and writes these paths."""
    out = {"flags": list(flags), "key": "return", "kind": kind, "loader": "0" * 16, "paths": list(paths)}
    return {"deps": [], "outs": [{**out, "shape": "list"}]}


def digest(number: int) -> str:
    return f"{number:032x}"


def info(stage: str = "train", second: int = 0, host: str = "here") -> Info:
    finished = f"2026-01-01T00:{second // 60:02}:{second % 60:02}"
    return Info(stage, (("func:train", "pipeline.py", 3),), 1.5, finished, host, "3.11", "ada")


def finished(number: int, result: str = "a", second: int = 0, modules: tuple[str, ...] = ()) -> Finished:
    return Finished(
        f"stage{number}",
        record(number, result),
        info(f"stage{number}", second),
        {digest(number): f"def f(): return {number}\n"},
        Reach(record(number).static_fingerprint, modules) if modules else None,
    )
