"""Parameters as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pivot.history.param_values import ABSENT, Differing, flatten


def params_lines(stages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Each stage that has parameters, and below it their values by name."""
    for stage, params in stages.items():
        rows = list(flatten(params))
        width = max((len(name) for name, _ in rows), default=0)
        if rows:
            yield stage
        for name, value in rows:
            yield f"  {name:<{width}}  {_shown(value)}"


def differing_lines(found: Iterable[Differing]) -> Iterator[str]:
    for one in found:
        yield f"{one.stage}.{one.name}: {_shown(one.old)} -> {_shown(one.new)}"


def differing_document(found: Iterable[Differing]) -> dict[str, object]:
    """A value that is not there is left out."""
    rows = []
    for one in found:
        values = {"old": one.old, "new": one.new}
        known = {key: value for key, value in values.items() if value is not ABSENT}
        rows.append({"stage": one.stage, "name": one.name, **known})
    return {"version": 1, "params": rows}


def _shown(value: Any) -> str:
    return "(none)" if value is ABSENT else json.dumps(value, ensure_ascii=False)
