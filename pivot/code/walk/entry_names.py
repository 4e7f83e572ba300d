"""Names, places and remarks of entries: what a reader sees, and none of it in a digest but public names."""

from __future__ import annotations

import ast
import sys
from typing import Any

from pivot.code.graph.manifest import Remark
from pivot.code.graph.nodes import Node, SourcePlace
from pivot.code.lookup.modules import Module, Modules
from pivot.code.lookup.resolver import Resolver


class Places:
    """Where things stand in the project, and what they are called."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.resolver = Resolver(modules)
        self.remarks: dict[Node, list[Remark]] = {}

    def owns_class(self, kind: type) -> bool:
        return self.resolver.is_project_class(kind)

    def file(self, module: Module) -> str:
        return self.modules.files.relative(module.path)

    def place(self, module: Module, tree: ast.AST) -> SourcePlace:
        """File, line of the definition and source text of a tree."""
        line = getattr(tree, "lineno", 1)
        first = min([line, *(decorator.lineno for decorator in getattr(tree, "decorator_list", ()))])
        return SourcePlace(self.file(module), line, module.lines(first, getattr(tree, "end_lineno", line)))

    def place_of(self, module: Module, name: str) -> SourcePlace:
        """Where a module binds a name."""
        bindings = module.bindings.get(name.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0], ())
        return self.place(module, bindings[-1].node) if bindings else SourcePlace(self.file(module), 1)

    def remark(self, node: Node, kind: str, why: str, mend: str, line: int | None = None) -> None:
        """Say something about a node, once, wherever it is reached."""
        name = node.name.partition(":")[2]
        told = Remark(kind, name, node.place.file, line or node.place.line, why, mend)
        known = self.remarks.setdefault(node, [])
        if told not in known:
            known.append(told)

    def unreadable(self, node: Node, name: str, why: str) -> None:
        self.remark(
            node, "untracked", f"its attribute `{name}` {why}" if name else why, "make it in the function that uses it"
        )

    def relative_text(self, text: str) -> str:
        """Text in which the place of the repository does not show."""
        for root in self.modules.files.roots:
            if root in text and (text == root or root + "/" in text or text.endswith(root)):
                text = text.replace(root, "<root>")
        return text

    def is_opaque(self, value: Any) -> bool:
        """A pipeline holds all stages: a decorator `@pipeline.register` must not tie them together."""
        return any(
            kind.__name__ == "Pipeline" and kind.__module__.split(".")[0] == "pivot" for kind in type(value).__mro__
        )

    def public_name(self, value: Any) -> str:
        """The shortest import path that leads to `value`: modules move their insides between Python versions."""
        module = (
            getattr(value, "__module__", None)
            or getattr(getattr(value, "__self__", None), "__name__", None)
            or "builtins"
        )
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", type(value).__qualname__)
        parts = str(module).split(".")
        tries = [".".join(parts[: end + 1]) for end in range(len(parts))]
        if parts[0].startswith("_"):
            tries.insert(0, parts[0][1:])
        for start in tries:
            if start in sys.modules and self.resolver.external_object(f"{start}.{name}") is value:
                return f"{start}.{name}"
        return f"{module}.{name}"


def pretty(label: str) -> str:
    """`LIMITS[sa` as a reader writes it."""
    head, *keys = label.split("[")
    return head + "".join(f"[{key[1:]}]" for key in keys)


def display_of(qualname: str, module: Module) -> str:
    """`func:clean`, `method:Model.fit`, `lambda:table`, as explain shows them."""
    last = qualname.rpartition(".")[2]
    if last == "<lambda>":
        outer = qualname[: -len("<lambda>")].replace(".<locals>.", "").rstrip(".")
        return "lambda:" + (outer or module.name)
    local = qualname.rpartition("<locals>.")[2]
    return f"method:{local}" if "." in local else f"func:{local}"
