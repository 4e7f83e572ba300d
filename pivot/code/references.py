"""What the references of a piece of syntax mean, written into the node that holds it."""

from __future__ import annotations

import ast
import types
import typing
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from pivot.code.definitions import closure_of, find_function
from pivot.code.found import Binary, External, Found, Live, Missing, Whole, Written
from pivot.code.namespaces import Module, Modules
from pivot.code.nodes import Node, Place
from pivot.code.normalise import function_syntax
from pivot.code.places import Places
from pivot.code.resolve import Scope
from pivot.code.syntax import Ref, Syntax

_TOLD = {".__name__", ".__qualname__", ".__doc__"}
_IGNORE = "# pivot: ignore"
PLAIN = (type(None), bool, int, float, complex, bytes, str)


class References(Places, ABC):
    """Makes each node once, whatever number of stages reach it; `drain` fills those that are waiting."""

    def __init__(self, modules: Modules) -> None:
        super().__init__(modules)
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._kept: list[Any] = []
        self._syntax: dict[tuple[int, bool], Syntax] = {}

    @abstractmethod
    def target(self, found: Live, at: Place) -> Node | str: ...

    @abstractmethod
    def code_of(self, function: types.FunctionType) -> Node | str: ...

    @abstractmethod
    def module_of(self, module: types.ModuleType) -> Node | str: ...

    @abstractmethod
    def class_of(self, kind: type) -> Node | str: ...

    @abstractmethod
    def function_node(self, function: types.FunctionType, module: Module, tree: ast.AST) -> Node: ...

    @abstractmethod
    def whole(self, module: Module) -> Node: ...

    @abstractmethod
    def binary(self, path: str) -> Node: ...

    @abstractmethod
    def body(self, module: Module) -> Node: ...

    @abstractmethod
    def written(self, module: Module, name: str) -> Node: ...

    def drain(self) -> None:
        """Fill every node that has been referred to, without recursion: chains of calls may be thousands long."""
        while self._waiting:
            self._waiting.popleft()()

    def _node(self, key: tuple[Any, ...], make: Callable[[], Node], fill: Callable[[Node], None]) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = make()
            made = node
            if _IGNORE in made.place.source.partition("\n")[0]:
                made.text("ignored")
            else:
                self._waiting.append(lambda: fill(made))
        return node

    def syntax_of(self, tree: ast.AST, *, defaults: bool) -> Syntax:
        key = (id(tree), defaults)
        known = self._syntax.get(key)
        if known is None:
            known = self._syntax[key] = function_syntax(tree, defaults=defaults)
        return known

    def write(self, node: Node, syntax: Syntax, scope: Scope, *, shallow: bool = False) -> None:
        """Append a piece of syntax and what each of its references means."""
        node.tokens.extend(syntax.tokens)
        node.reads_names |= syntax.reads_names
        for number, ref in enumerate(syntax.refs):
            for found, rest in self.resolver.resolve(ref, scope):
                if ref.use == "annotation":
                    self._annotation(node, found)
                elif self._imports_and_reads(node, ref, scope[0]):
                    node.text(f"={number}")
                    (self._refer_shallow if shallow else self.refer_found)(node, found, rest)
                    self._refer_all_names(node, found, scope[0], shallow)
        for doubt in syntax.doubts:
            why = f"`{doubt.what}` runs text that only the run knows"
            self.remark(node, "untracked", why, "name the code with pivot.depends_on(...)", line=doubt.line)

    def _imports_and_reads(self, node: Node, ref: Ref, module: Module) -> bool:
        """Write what an import inside a function runs; whether the reference is more than that import."""
        if ref.use.startswith("import") or (ref.origins and not ref.name):
            self._write_import(node, ref, module)
        return ref.use != "import"

    def _refer_all_names(self, node: Node, found: Found, module: Module, shallow: bool) -> None:
        """`globals()` and `sys.modules` may lead to any name of the module."""
        if not shallow and isinstance(found, External) and found.path.startswith(("builtins.globals", "sys.modules")):
            node.edge(self.whole(module))

    def refer_found(self, node: Node, found: Found, rest: tuple[str, ...]) -> None:
        """Append what a reference was found to be, and the part of its chain that stays text."""
        if isinstance(found, Live):
            self.refer(node, self.target(found, node.place))
            if ".__subclasses__" in rest and isinstance(found.value, type):
                self.refer_subclasses(node, found.value)
            if rest and rest[0] in _TOLD:
                node.text(f"{getattr(found.value, rest[0][1:], None)}")
        elif isinstance(found, Written):
            node.edge(self.written(found.module, found.name))
        elif isinstance(found, Whole):
            node.edge(self.whole(found.module))
        elif isinstance(found, Binary):
            node.edge(self.binary(found.path))
        elif isinstance(found, External):
            node.text("X:" + found.path)
            for patch in self.resolver.patches(found.path):
                self.refer(node, self.target(patch, node.place))
        else:
            node.text(("U:" if isinstance(found, Missing) else "F:") + found.name)
        if rest:
            node.text("".join(rest))

    def refer_subclasses(self, node: Node, kind: type) -> None:
        """`__subclasses__` reaches every class that has been made from this one."""
        made: list[type] = type.__subclasses__(kind)
        for inner in sorted(made, key=lambda one: one.__qualname__):
            self.refer(node, self.class_of(inner))
            self.refer_subclasses(node, inner)

    def refer(self, node: Node, target: Node | str) -> None:
        if isinstance(target, str):
            node.text(target)
        else:
            node.edge(target)

    def _write_import(self, node: Node, ref: Ref, module: Module) -> None:
        """An import inside a function runs the module, unless the import of the pipeline has done so."""
        for origin in ref.origins:
            full = self.modules.absolute(origin, module)
            parts = full.split(".")
            names = [".".join(parts[: end + 1]) for end in range(len(parts))]
            if origin.attr and origin.attr != "*":
                names.append(f"{full}.{origin.attr}")
            for name in names:
                inner = self.modules.by_name(name)
                if inner is not None and inner.live is None:
                    node.edge(self.body(inner))
            if self.modules.by_name(parts[0]) is None and ref.use == "import":
                node.text("I:" + full)

    def _annotation(self, node: Node, found: Found) -> None:
        """Of an annotation only the project classes count: methods are called on what it describes."""
        if isinstance(found, Written) and any(
            isinstance(b.node, ast.ClassDef) for b in found.module.bindings[found.name]
        ):
            node.edge(self.written(found.module, found.name))
        if not isinstance(found, Live):
            return
        todo = [found.value]
        while todo:
            value = todo.pop()
            if isinstance(value, type) and self.owns_class(value):
                self.refer(node, self.class_of(value))
            elif typing.get_origin(value) is not None:
                todo.extend(reversed(typing.get_args(value)))

    def _refer_shallow(self, node: Node, found: Found, rest: tuple[str, ...]) -> None:
        """A reference that only the import used: code counts, what it collects (registries) does not."""
        node.text("".join(rest))
        if isinstance(found, External | Written):
            self.refer_found(node, found, ())
        if not isinstance(found, Live):
            return
        value = found.value
        inside: dict[str, Any] = (
            dict(vars(value)) if isinstance(value, type) and self.owns_class(value) else {"": value}
        )
        for function in (one for one in inside.values() if isinstance(one, types.FunctionType)):
            self.refer(node, self._shallow(function))
        if isinstance(value, PLAIN):
            self.refer(node, self.target(found, node.place))

    def _shallow(self, function: types.FunctionType) -> Node | str:
        module = self.modules.of_function(function)
        tree = find_function(function, module) if module else None
        if module is None or tree is None:
            return "X:" + self.public_name(function)
        self._kept.append(function)
        home = module
        syntax = self.syntax_of(tree, defaults=True)
        return self._node(
            ("s", id(function)),
            lambda: self.function_node(function, home, tree),
            lambda node: self.write(node, syntax, (home, closure_of(function)), shallow=True),
        )
