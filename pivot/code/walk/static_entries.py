"""Entries of modules: what only their source knows, and modules as a whole."""

from __future__ import annotations

import ast
import os
import sys
import types
from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

import xxhash

from pivot.code.encode.values import Encoder
from pivot.code.graph.nodes import Node, SourcePlace
from pivot.code.lookup.definitions import active, filling_statements
from pivot.code.lookup.modules import Module, Modules, decode
from pivot.code.lookup.resolver import Scope
from pivot.code.lookup.targets import Binary, External, LiveObject, Missing, WholeModule
from pivot.code.syntax.normalise import expression_syntax, statement_syntax
from pivot.code.syntax.references import Import, imported_names
from pivot.code.walk.classes import write_class_syntax
from pivot.code.walk.import_effects import Effects
from pivot.code.walk.reference_writer import References

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_FOR_CHECKERS = {"__future__", "typing", "typing_extensions"}
_NO_REGISTRIES = frozenset(sys.stdlib_module_names) | {"pivot"}
# Where a library of the first name looks up what has been left in one of the others.
_KIN = {"copy": ("copyreg",), "pickle": ("copyreg",)}


class WrittenEntries(References):
    """Entries that need no live object."""

    def __init__(self, modules: Modules) -> None:
        super().__init__(modules)
        self.effects = Effects(self.resolver)
        self._passing: dict[str, frozenset[str]] = {}
        self._digests: dict[str, str] = {}
        self._read: dict[str, set[str]] = {}
        self._registered: dict[str, Node | None] = {}

    @abstractmethod
    def refer_code(self, node: Node, held: list[Any]) -> None: ...

    @abstractmethod
    def write_value(self, node: Node, found: LiveObject) -> None: ...

    # --- modules

    def module_of(self, module: types.ModuleType) -> Node | str:
        """The entry of a module that is used as a value."""
        found = self.resolver.module_object(module)
        if isinstance(found, WholeModule):
            return self.whole(found.module)
        if isinstance(found, Binary):
            return self.binary(found.path)
        return "X:" + module.__name__

    def whole(self, module: Module) -> Node:
        """All that a module defines."""
        return self._node(
            ("m", module.path),
            lambda: Node(f"module:{module.name}", f"module:{module.name}", SourcePlace(self.file(module), 1)),
            lambda node: self._write_whole(node, module),
        )

    def _write_whole(self, node: Node, module: Module) -> None:
        node.listing = decode(module.source.data)
        for name in sorted(module.live if module.live is not None else module.bindings):
            if name.startswith("__") and name.endswith("__") and name != "__getattr__":
                continue
            if self._is_idle(module, name):
                continue
            found = self.resolver.member(module, name)
            if isinstance(found, WholeModule) and not found.module.name.startswith(module.name + "."):
                continue
            node.text("name " + name)
            self.refer_found(node, found or Missing(name), ())
        kind = self.resolver.class_of_module(module)
        if kind is not None:
            self.refer(node, self.class_of(kind))
        self.remark(
            node, "coarse", "the module is used as a value, so all of it counts", "name what is used: module.function"
        )

    def _is_idle(self, module: Module, name: str) -> bool:
        """A library that a module imports and does not use, or what only type checkers and the parser ask for."""
        origins = [binding.origin for binding in module.bindings.get(name, ())]
        if not origins or not all(origins):
            return False
        if all(origin.module in _FOR_CHECKERS and origin.attr for origin in origins if origin):
            return True
        whole = all(origin.attr is None and not origin.level for origin in origins if origin)
        return (
            whole and isinstance(self.resolver.member(module, name), External) and name not in self._names_read(module)
        )

    def _names_read(self, module: Module) -> set[str]:
        if module.path not in self._read:
            tree = module.source.tree
            self._read[module.path] = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return self._read[module.path]

    def whole_digest(self, file: str) -> str:
        """All statements of a module, by its file relative to the repository; empty for what is no module."""
        if not self._digests:
            for module in self.modules.all():
                self._digests[self.file(module)] = xxhash.xxh3_128_hexdigest(_all_said(module))
        return self._digests.get(file, "")

    def binary(self, path: str) -> Node:
        """A compiled module, by its bytes."""
        name = Path(path).name.split(".")[0]
        self.modules.binaries.add(path)

        def fill(node: Node) -> None:
            node.text("binary " + xxhash.xxh3_128_hexdigest(Path(path).read_bytes()))

        return self._node(
            ("so", path),
            lambda: Node(f"module:{name}", f"module:{name}", SourcePlace(self.modules.files.relative(path), 1)),
            fill,
        )

    def binary_of(self, path: str) -> Node | None:
        """The entry of a compiled file, if it is the project's."""
        full = os.path.abspath(path)  # noqa: PTH100
        return self.binary(full) if self.modules.files.owns(full) and os.path.isfile(full) else None  # noqa: PTH113

    def body(self, module: Module) -> Node:
        """What an import of a module that was not imported yet will do: its statements that call something."""

        def fill(node: Node) -> None:
            statements = active(module.source.tree.body)
            acting = [one for one in statements if not isinstance(one, _IMPORTS)]
            self.write(node, statement_syntax(acting), (module, {}))
            for origin in _imported(statements):
                self.import_runs(node, origin, module)

        return self._node(
            ("b", module.path),
            lambda: Node(f"module:{module.name}", f"module:{module.name}", SourcePlace(self.file(module), 1)),
            fill,
        )

    def passing(self, module: Module) -> frozenset[str]:
        """The files that an import of a module runs, if they do nothing but define names; else none."""
        if module.path not in self._passing:
            seen: dict[str, Module] = {}
            runs = self._runs(module, seen)
            self._passing[module.path] = frozenset() if runs else frozenset(map(self.file, seen.values()))
        return self._passing[module.path]

    def _runs(self, module: Module, seen: dict[str, Module]) -> bool:
        """Whether an import of a module does anything but define names, in it or in those that it imports."""
        if module.live is not None or module.path in seen:
            return False
        seen[module.path] = module
        statements = active(module.source.tree.body)
        if any(not isinstance(one, _IMPORTS) for one in statements):
            return True
        return any(self._runs(inner, seen) for origin in _imported(statements) for inner in self.unrun(origin, module))

    def script(self, path: str) -> Node:
        """A file that is run and not imported: all of its statements."""
        known = self.modules.by_path(path)
        module = known or Module(self.modules.importer.source(Path(path).stem, path), None)

        def fill(node: Node) -> None:
            self.write(node, statement_syntax(module.source.tree.body), (module, {}))

        name = f"script:{self.file(module)}"
        return self._node(("script", path), lambda: Node(name, name, SourcePlace(self.file(module), 1)), fill)

    # --- what an import has left behind

    def refer_left_behind(self, node: Node, path: str, rest: tuple[str, ...]) -> None:
        """What the import of the project did to something outside it that `path` leads to."""
        self._refer_patched(node, path)
        root = path.partition(".")[0]
        for acted_on in (root, *_KIN.get(root, ())):
            if statements := self.effects.on(acted_on):
                node.edge(self._effect(acted_on, statements))
        if root not in _NO_REGISTRIES:
            self._refer_registered(node, root)
        if root in ("time", "datetime") and "TZ" in self.modules.importer.variables_set:
            self._refer_variable(node, "TZ")
        if path.startswith(("os.environ", "os.getenv", "subprocess.")):
            for name in sorted(self.modules.importer.variables_set):
                if not rest or rest[0] == "[s" + name or not rest[0].startswith("[s"):
                    self._refer_variable(node, name)

    @staticmethod
    def filling(found: LiveObject) -> list[ast.stmt]:
        """The statements that fill a value of a module."""
        name = found.name.split(".")[0].split("[")[0]
        return filling_statements(found.module.source.tree.body, name) if found.module else []

    def refer_patches(self, node: Node, kind: type) -> None:
        """What the import of the project put into classes outside it that a class extends."""
        for parent in kind.__mro__:
            if not self.owns_class(parent):
                self._refer_patched(node, self.public_name(parent))

    def _refer_patched(self, node: Node, path: str) -> None:
        """What was put below a path, but for what counts only where its name is asked for."""
        for patch in self.resolver.patches(path):
            if patch.name.rpartition(".")[2] not in self.effects.hung:
                self.refer(node, self.target(patch, node.place))

    def _refer_registered(self, node: Node, root: str) -> None:
        """What a library that is reached holds of the project without a statement that says so."""
        if root not in self._registered:
            held = self.effects.registered(root)
            name = f"const:what {root} holds"
            self._registered[root] = (
                self._node(
                    ("r", root), lambda: Node(name, name, SourcePlace("", 0)), lambda made: self.refer_code(made, held)
                )
                if held
                else None
            )
        if (target := self._registered[root]) is not None:
            node.edge(target)

    @cached_property
    def hung(self) -> dict[str, Node]:
        """Attribute -> entry of what the import has hung under it on classes of libraries."""
        made = {name: self._hung(name, held) for name, held in sorted(self.effects.hung.items())}
        self.drain()
        return made

    def _hung(self, attribute: str, held: list[Any]) -> Node:
        acts = self.effects.hanging(attribute)
        name = f"const:{attribute} (put into a library)"

        def fill(node: Node) -> None:
            for module, statement in acts:
                self.write(node, statement_syntax([statement]), (module, {}))
            self.refer_code(node, held)

        place = self.place(*acts[0]) if acts else SourcePlace("", 0)
        return self._node(("h", attribute), lambda: Node(name, name, place), fill)

    def _effect(self, root: str, statements: list[tuple[Module, ast.stmt]]) -> Node:
        first = self.place(*statements[0])

        def fill(node: Node) -> None:
            for module, statement in statements:
                self.write(node, statement_syntax([statement]), (module, {}))

        name = f"const:what the import does to {root}"
        return self._node(("e", root), lambda: Node(name, name, first), fill)

    def _refer_variable(self, node: Node, name: str) -> None:
        """An environment variable that the import has set is a constant of the code."""
        place = SourcePlace("", 0)
        found = LiveObject(os.environ.get(name), None, "$" + name)
        key = ("env", name)
        label = f"const:${name}"
        node.edge(self._node(key, lambda: Node(label, label, place), lambda made: self.write_value(made, found)))

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


def _imported(statements: list[ast.stmt]) -> list[Import]:
    imports = (one for one in statements if isinstance(one, _IMPORTS))
    return [origin for statement in imports for _, origin in imported_names(statement)]


def _all_said(module: Module) -> bytes:
    try:
        syntax = statement_syntax(module.source.tree.body)
    except RecursionError:
        return module.source.data
    said = [*syntax.tokens, *(f"{ref} {ref.origins}" for ref in syntax.refs)]
    return "\0".join(said).encode("utf-8", "surrogatepass")
