"""Entries of modules: what only their source knows, and modules as a whole."""

from __future__ import annotations

import ast
import types
from pathlib import Path

import xxhash

from pivot.code.classes import write_class_syntax
from pivot.code.definitions import active
from pivot.code.found import Binary, Missing, Whole
from pivot.code.namespaces import Module
from pivot.code.nodes import Node, Place
from pivot.code.normalise import expression_syntax, statement_syntax
from pivot.code.references import References
from pivot.code.resolve import Scope
from pivot.code.values import Encoder

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class WrittenEntries(References):
    """Entries that need no live object."""

    # --- modules

    def module_of(self, module: types.ModuleType) -> Node | str:
        """The entry of a module that is used as a value."""
        found = self.resolver.module_object(module)
        if isinstance(found, Whole):
            return self.whole(found.module)
        if isinstance(found, Binary):
            return self.binary(found.path)
        return "X:" + module.__name__

    def whole(self, module: Module) -> Node:
        """All that a module defines."""
        return self._node(
            ("m", module.path),
            lambda: Node(f"module:{module.name}", f"module:{module.name}", Place(self.file(module), 1)),
            lambda node: self._write_whole(node, module),
        )

    def _write_whole(self, node: Node, module: Module) -> None:
        for name in sorted(module.live if module.live is not None else module.bindings):
            if name.startswith("__") and name.endswith("__") and name != "__getattr__":
                continue
            found = self.resolver.member(module, name)
            if isinstance(found, Whole) and not found.module.name.startswith(module.name + "."):
                continue
            node.text("name " + name)
            self.refer_found(node, found or Missing(name), ())
        self.remark(
            node, "coarse", "the module is used as a value, so all of it counts", "name what is used: module.function"
        )

    def binary(self, path: str) -> Node:
        """A compiled module, by its bytes."""
        name = Path(path).name.split(".")[0]

        def fill(node: Node) -> None:
            node.text("binary " + xxhash.xxh3_128_hexdigest(Path(path).read_bytes()))

        return self._node(
            ("so", path),
            lambda: Node(f"module:{name}", f"module:{name}", Place(self.modules.files.relative(path), 1)),
            fill,
        )

    def body(self, module: Module) -> Node:
        """What an import of a module that was not imported yet will do: its statements that call something."""
        return self._node(
            ("b", module.path),
            lambda: Node(f"module:{module.name}", f"module:{module.name}", Place(self.file(module), 1)),
            lambda node: self.write(node, statement_syntax(active(module.source.tree.body)), (module, {})),
        )

    # --- what only the source knows

    def written(self, module: Module, name: str) -> Node:
        """A name of a module that the import did not load."""
        statements = [binding.node for binding in module.bindings[name]]
        kind = (
            "class"
            if isinstance(statements[0], ast.ClassDef)
            else "func"
            if isinstance(statements[0], _FUNCTIONS)
            else "const"
        )

        def fill(node: Node) -> None:
            for statement in statements:
                self.write_definition(node, statement, module, decorators="full")

        return self._node(
            ("w", module.path, name),
            lambda: Node(f"{kind}:{name}", f"{kind}:{module.name}.{name}", self.place_of(module, name)),
            fill,
        )

    def write_definition(self, node: Node, statement: ast.stmt, module: Module, *, decorators: str) -> None:
        """A definition or assignment by its syntax."""
        scope: Scope = (module, {})
        if isinstance(statement, _FUNCTIONS):
            self.write(node, self.syntax_of(statement, defaults=False), scope)
            self._write_default_syntax(node, statement, scope)
        elif isinstance(statement, ast.ClassDef):
            write_class_syntax(self, node, statement, module)
        elif not self._write_literal(node, statement):
            self.write(node, statement_syntax([statement]), scope)
        for decorator in getattr(statement, "decorator_list", ()):
            self.write(node, expression_syntax(decorator), scope, shallow=decorators == "shallow")

    def _write_default_syntax(self, node: Node, tree: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        positional = [*tree.args.posonlyargs, *tree.args.args]
        pairs = list(zip(reversed(positional), reversed(tree.args.defaults), strict=False))
        pairs += [(arg, value) for arg, value in zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True) if value]
        for arg, value in sorted(pairs, key=lambda pair: pair[0].arg):
            node.text("default " + arg.arg)
            if isinstance(value, ast.Constant):
                Encoder(self, node).encode(value.value)
            else:
                self.write(node, expression_syntax(value), scope)

    def _write_literal(self, node: Node, statement: ast.stmt) -> bool:
        """An assigned literal is encoded as its value, so that an import of its module changes nothing."""
        value = getattr(statement, "value", None)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or value is None:
            return False
        if isinstance(statement, ast.Assign) and not all(isinstance(target, ast.Name) for target in statement.targets):
            return False
        try:
            literal = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return False
        Encoder(self, node).encode(literal)
        return True
