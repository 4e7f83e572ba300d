"""From a live function to its entry graph: what it refers to, what that refers to, and so on."""

from __future__ import annotations

import ast
import os
import types
from typing import Any

from pivot.code.encode.containers import Resists
from pivot.code.encode.values import Encoder
from pivot.code.graph.nodes import Node, SourcePlace, reachable
from pivot.code.lookup.definitions import captures, closure_of, code_tokens, find_function, fitting_class, made_of_text
from pivot.code.lookup.held_code import held_code, is_plain_data, shared_objects
from pivot.code.lookup.modules import Module, Modules
from pivot.code.lookup.targets import LiveObject
from pivot.code.syntax.normalise import annotations_of, expression_syntax, statement_syntax
from pivot.code.walk.classes import ClassSource, write_class, write_made_class
from pivot.code.walk.entry_names import display_of, pretty
from pivot.code.walk.param_defaults import valued_fields
from pivot.code.walk.patched_functions import Rewritten
from pivot.code.walk.reference_writer import PLAIN
from pivot.code.walk.static_entries import WrittenEntries

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that Python code made


class Walker(WrittenEntries):
    """Entries of live objects."""

    def __init__(self, modules: Modules) -> None:
        super().__init__(modules)
        self.rewritten = Rewritten(modules)
        self.values: dict[str, tuple[Node, LiveObject]] = {}
        self.certain: dict[str, bool] = {}
        self.definitions: dict[Node, tuple[Module, list[ast.stmt]]] = {}  # what stands decorated behind a value
        self.replaced: dict[Node, Any] = {}  # values that do not count, as a whole or in part

    # --- targets of references

    def target(self, found: LiveObject, at: SourcePlace) -> Node | str:
        """The entry of a live object; a string for something outside the project."""
        value = found.value
        if found.module is not None:
            hidden = self._hidden(found)
            if hidden:
                return self._decorated(found, hidden)
        kind = type(value)  # an object may say that it is of another class
        if kind is types.FunctionType:
            code = self.code_of(value)
            return self._value(found, at) if isinstance(code, str) and captures(value) else code
        if issubclass(kind, type):
            return self._value(found, at) if self._nameless(found) else self.class_of(value)
        if issubclass(kind, types.ModuleType):
            return self.module_of(value)
        return self._value(found, at)

    def _nameless(self, found: LiveObject) -> bool:
        """Whether a class was made by a call and calls itself a library's: `make_dataclass` does so before 3.12."""
        kind = found.value
        if found.module is None:
            return False
        home = self.modules.defining(kind.__module__) if self.owns_class(kind) else None
        if home is not None:
            return "__dataclass_fields__" in vars(kind) and not home.class_nodes(kind.__qualname__)
        return self.resolver.external_object(self.public_name(kind)) is not kind

    def _value(self, found: LiveObject, at: SourcePlace) -> Node:
        home = found.module
        key = ("v", home.path, found.name) if home else ("id", id(found.value))
        self._kept.append(found.value)

        def make() -> Node:
            place = self.place_of(home, found.name) if home else at
            label = pretty(found.name)
            return Node(f"const:{label}", f"const:{home.name if home else at.file}.{label}", place)

        return self._node(key, make, lambda node: self.write_value(node, found))

    def write_value(self, node: Node, found: LiveObject) -> None:
        """Fill a node with a value; where the value resists, with the statements that made it."""
        key = self.key_of(found, node)
        if self.values.get(key, (node,))[0] is not node:
            key += f"#{len(self.values)}"
        self.values[key] = (node, found)
        if issubclass(type(found.value), type):
            self.write_statements(node, found)
            return
        try:
            Encoder(self, node).encode(found.value)
            if node in self.remarks:  # part of it cannot be read
                self.replaced[node] = found.value
                if found.module is not None:
                    self.write(node, statement_syntax(self.filling(found)), (found.module, {}))
        except (Resists, RecursionError) as error:
            why = str(error) if isinstance(error, Resists) else "it is nested too deeply"
            self.remark(
                node, "untracked", why, "keep plain data at module level, and make such objects in the function"
            )
            self.replaced[node] = found.value
            self.write_statements(node, found)

    def key_of(self, found: LiveObject, node: Node | None = None) -> str:
        """A name for a value that two imports of the same sources agree on."""
        if found.module is not None:
            return f"{found.module.path}:{found.name}"
        return f"{node.place.file}:{node.place.line}:{found.name}" if node else found.name

    def replace_unstable(self, keys: set[str]) -> None:
        """Give values that differ from import to import the digest of what makes them."""
        why = "its value differs between two imports of the same sources"
        for key in sorted(keys):
            node, found = self.values[key]
            self.write_statements(node, found)
            self.replaced[node] = found.value
            self._write_definitions(node)
            if node not in self.definitions:
                self.remark(node, "untracked", why, "make it in the function that uses it")
        self.drain()
        self.refer_held()

    def refer_held(self) -> None:
        """Refer values that do not count to the code of the project that they hold, unless it is reached from them."""
        if not self.replaced:
            return
        shared, is_ours = shared_objects(self._is_library), self.resolver.code_test()
        done: set[Node] = set()
        while len(done) < len(self.replaced):
            for node, value in [one for one in self.replaced.items() if one[0] not in done]:
                done.add(node)
                self.refer_code(node, held_code(value, is_ours, shared))
                self.drain()

    def refer_code(self, node: Node, held: list[Any]) -> None:
        """Refer to functions and classes, those left out that the node reaches already."""
        reached = set(reachable(node)) if held else set()
        for code in held:
            target = self.class_of(code) if isinstance(code, type) else self.code_of(code)
            if isinstance(target, Node) and target not in reached:
                node.text("holds")
                node.edge(target)

    def _is_library(self, name: str) -> bool:
        return self.modules.by_name(name) is None

    def write_statements(self, node: Node, found: LiveObject) -> None:
        """Replace a value by the statements that bind its name."""
        node.clear()
        name = found.name.split(".")[0].split("[")[0]
        bindings = found.module.bindings.get(name, []) if found.module else []
        statements = [binding.node for binding in bindings if not binding.origin]
        if not statements or found.module is None:
            node.text(f"unread {self.public_name(type(found.value))}")
            return
        self.write(node, statement_syntax([*statements, *self.filling(found)]), (found.module, {}))

    def _hidden(self, found: LiveObject) -> list[ast.stmt]:
        """Decorated definitions behind a name whose value is not the function or class that they define."""
        home, value = found.module, found.value
        assert home is not None
        if (
            type(value) is types.FunctionType
            and value.__code__.co_name == found.name
            and value.__code__.co_filename == home.path
            and "<locals>" not in value.__qualname__
        ):
            return []
        if issubclass(type(value), type) and value.__name__ == found.name and value.__module__ == home.name:
            return []
        bindings = home.bindings.get(found.name, ())
        return [b.node for b in bindings if isinstance(b.node, _DEFINITIONS) and b.node.decorator_list]

    def _decorated(self, found: LiveObject, hidden: list[ast.stmt]) -> Node:
        home = found.module
        assert home is not None
        kind = "class" if isinstance(hidden[0], ast.ClassDef) else "func"

        def make() -> Node:
            name = f"{found.name} (decorated)"
            return Node(f"{kind}:{name}", f"{kind}:{home.name}.{name}", self.place_of(home, found.name))

        def fill(node: Node) -> None:
            self.definitions[node] = (home, hidden)
            self.write_value(node, LiveObject(found.value, None, found.name))
            self._write_definitions(node)
            if node in self.replaced:
                self.remarks.pop(node, None)  # the definition and what the value holds count: nothing is lost

        return self._node(("d", home.path, found.name), make, fill)

    def _write_definitions(self, node: Node) -> None:
        home, hidden = self.definitions.get(node, (None, []))
        for statement in hidden:
            if home is not None:
                self.write_definition(node, statement, home, decorators="shallow")
                if node in self.replaced:
                    self._write_options(node, statement, home)

    def _write_options(self, node: Node, statement: ast.stmt, home: Module) -> None:
        """Plain data that a decorator was given by name: `@jit(**OPTIONS)`."""
        refs = (ref for one in getattr(statement, "decorator_list", ()) for ref in expression_syntax(one).refs)
        for found, _ in (one for ref in refs for one in self.resolver.resolve(ref, (home, {}))):
            if isinstance(found, LiveObject) and not isinstance(found.value, PLAIN) and is_plain_data(found.value):
                self.refer(node, self.target(found, node.place))

    # --- functions

    def code_of(self, function: types.FunctionType) -> Node | str:
        """The entry of a project function."""
        if (known := self._nodes.get(("f", function))) is not None:
            return known
        module = self.modules.of_function(function)
        tree = find_function(function, module) if module else None
        if module is None or tree is None:
            return self._generated(function)
        self._kept.append(function)
        return self._node(
            ("f", function),
            lambda: self.function_node(function, module, tree),
            lambda node: self._write_function(node, function, module, tree),
        )

    def function_node(self, function: types.FunctionType, module: Module, tree: ast.AST) -> Node:
        qualname = function.__code__.co_qualname
        name = display_of(qualname, module)
        return Node(name, f"{name.split(':')[0]}:{module.name}.{qualname}", self.place(module, tree))

    def _write_function(self, node: Node, function: types.FunctionType, module: Module, tree: ast.AST) -> None:
        closure = closure_of(function, module)
        node.annotations = lambda: annotations_of(tree)
        self.write(node, self.syntax_of(tree, defaults=False), (module, closure))
        node.tokens += self.rewritten.tokens(function, module)
        self._write_defaults(node, function)
        for decorator in getattr(tree, "decorator_list", ()):
            self.write(node, expression_syntax(decorator), (module, closure), shallow=True)
        if "__class__" in closure and isinstance(closure["__class__"], type):
            self.refer(node, self.class_of(closure["__class__"]))
        self._write_attributes(node, function)

    def _write_defaults(self, node: Node, function: types.FunctionType) -> None:
        named = dict(function.__kwdefaults__ or {})
        count = function.__code__.co_argcount
        values = function.__defaults__ or ()
        named.update(zip(function.__code__.co_varnames[count - len(values) : count], values, strict=True))
        for name in sorted(named):
            node.text("default " + name)
            self._write_anonymous(node, named[name], name)

    def _write_anonymous(self, node: Node, value: Any, name: str) -> None:
        """A value without a name at module level: a default or an attribute."""
        if isinstance(value, PLAIN):
            Encoder(self, node).encode(value)
        else:
            self.refer(node, self.target(LiveObject(value, None, name), node.place))

    def _write_attributes(self, node: Node, function: types.FunctionType) -> None:
        held = vars(function)
        for name in sorted(held):
            if name == "__pivot_depends_on__":
                for value in held[name]:
                    self._write_anonymous(node, value, "depends_on")
            elif not name.startswith("__pivot"):
                node.text("attribute " + name)
                self.refer(node, self.target(LiveObject(held[name], None, name), node.place))

    def _generated(self, function: types.FunctionType) -> Node | str:
        """A function without source: of a package, or made by `exec` in a project module."""
        module = self.modules.defining(str(function.__globals__.get("__name__")))
        if module is None and made_of_text(function):
            self._kept.append(function)
            name = f"func:{function.__name__}"
            return self._node(
                ("f", function),
                lambda: Node(name, name, SourcePlace("", 0)),
                lambda node: self._write_homeless(node, function),
            )
        file = function.__code__.co_filename
        if module is None or (self.modules.by_path(file) is None and os.path.isfile(file)):  # noqa: PTH113
            return "X:" + self.public_name(function)
        self._kept.append(function)
        return self._node(
            ("f", function),
            lambda: Node(
                f"func:{function.__name__}",
                f"func:{module.name}.{function.__qualname__}",
                SourcePlace(self.file(module), 1),
            ),
            lambda node: self._write_generated(node, function, module),
        )

    def _write_generated(self, node: Node, function: types.FunctionType, module: Module) -> None:
        node.tokens.extend(code_tokens(function.__code__))
        node.edge(self.whole(module))
        self.remark(node, "coarse", "it is made at run time, so its whole module counts", "")

    def _write_homeless(self, node: Node, function: types.FunctionType) -> None:
        """A function that `exec` made in a bare dict: nothing but its bytecode and what it names is known of it."""
        todo = [function.__code__]
        for code in todo:
            node.text(f"bytecode {code.co_varnames[: code.co_argcount]} {code.co_names} {code.co_code.hex()}")
            for constant in code.co_consts:
                if isinstance(constant, types.CodeType):
                    todo.append(constant)
                elif constant is not None:
                    Encoder(self, node).encode(constant)
            for name in code.co_names:
                if name in function.__globals__:
                    node.text("name " + name)
                    self._write_anonymous(node, function.__globals__[name], name)
        for name, value in (*closure_of(function).items(), *sorted((function.__kwdefaults__ or {}).items())):
            node.text("holds " + name)
            self._write_anonymous(node, value, name)
        for value in function.__defaults__ or ():
            self._write_anonymous(node, value, "default")
        why = "it is made of text while importing, so its bytecode counts, which is another for each version of Python"
        self.remark(node, "coarse", why, "define it with `def`")

    def class_of(self, kind: type, valued: bool = False) -> Node | str:
        """The entry of a project class, with all its methods; without the defaults of a `valued` parameter class."""
        if not self.owns_class(kind):
            return self._foreign(kind)
        module = self.modules.defining(kind.__module__)
        assert module is not None
        trees = module.class_nodes(kind.__qualname__)
        tree = fitting_class(trees, kind)
        fields: frozenset[str] = valued_fields(self, kind, tree, module) if valued else frozenset()
        self._kept.append(kind)

        def make() -> Node:
            place = self.place(module, tree) if tree else SourcePlace(self.file(module), 1)
            return Node(f"class:{kind.__name__}", f"class:{module.name}.{kind.__qualname__}", place)

        def fill(node: Node) -> None:
            self._classes.append((node, kind))
            node.annotations = (lambda: annotations_of(tree)) if tree else None
            self.refer_patches(node, kind)
            write_class(self, node, kind, module, ClassSource(tree, fields))

        return self._node(("c", id(kind), fields), make, fill)

    def _foreign(self, kind: type) -> Node | str:
        """A class of a library; one that only a call has made, and that no name leads to, is what it holds."""
        name = self.public_name(kind)
        home = str(vars(kind).get("__module__"))
        lost = home in ("builtins", "types", "None") and kind.__flags__ & _HEAP and "<locals>" not in kind.__qualname__
        if not lost or self.resolver.external_object(name) is kind:
            return "X:" + name
        self._kept.append(kind)
        label = "class:" + kind.__name__
        return self._node(
            ("c", id(kind)),
            lambda: Node(label, label, SourcePlace("", 0)),
            lambda node: write_made_class(self, node, kind),
        )
