"""Defaults of parameter classes: a stage's parameters say what value each field has, wherever it comes from.

So a default that a params file overrides is no code of the stage. Code that names the class reaches it whole, as any
other; and where code may get at the class through an object, the stage has it whole, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Protocol

from pivot.code.graph.nodes import Node, reachable
from pivot.code.lookup.modules import Module
from pivot.pipeline.param_types import is_params_class, is_pydantic

_ASKS_THE_TYPE = re.compile(r"\btype\s*\(|__class__|fields\b|\bcls\b")


class Owner(Protocol):
    """What is asked of the walker."""

    def owns_class(self, kind: type) -> bool: ...


def valued_fields(walker: Owner, kind: type, tree: ast.ClassDef | None, module: Module) -> frozenset[str]:
    """The fields of a class whose defaults are values and nothing else: no `field(...)`, which says more."""
    if tree is None or not is_params_class(kind):
        return frozenset()
    fields: Mapping[str, Any] = getattr(kind, "model_fields" if is_pydantic(kind) else "__dataclass_fields__")
    parts = [part for part in tree.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)]
    names = {part.target.id: part.value for part in parts if isinstance(part.target, ast.Name)}
    return frozenset(
        name
        for name, value in names.items()
        if name in fields
        and _is_field(fields[name])
        and (not isinstance(value, ast.Call) or params_class(walker, value.func, module))
    )


def params_class(walker: Owner, name: ast.expr, module: Module) -> type | None:
    """The parameter class of the project that a plain name means."""
    kind = (module.live or {}).get(name.id) if isinstance(name, ast.Name) else None
    return kind if isinstance(kind, type) and is_params_class(kind) and walker.owns_class(kind) else None


def asks_for_types(root: Node, known: dict[Node, bool]) -> bool:
    """Whether code that a stage reaches asks an object for its class; `known` is what was found of each node."""
    for node in reachable(root):
        if node not in known:
            known[node] = _ASKS_THE_TYPE.search(node.place.source) is not None
        if known[node]:
            return True
    return False


def _is_field(field: object) -> bool:
    """Not a `ClassVar` and not an `InitVar`, which a dataclass lists too."""
    kind = getattr(field, "_field_type", None)
    return kind is None or getattr(kind, "name", "") == "_FIELD"
