"""From a live function to its entry graph: what it refers to, what that refers to, and so on."""

from __future__ import annotations

import ast
import sys
import types
import typing
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xxhash

from pivot.code.classes import write_class, write_class_syntax
from pivot.code.manifest import Remark
from pivot.code.namespaces import Module, Modules
from pivot.code.nodes import Node, Place
from pivot.code.normalise import Ref, Syntax, constant_token, expression_syntax, function_syntax, statement_syntax
from pivot.code.resolve import Binary, External, Folder, Found, Live, Missing, Resolver, Scope, Whole, Written
from pivot.code.values import Encoder, Resists

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_TOLD = {".__name__", ".__qualname__", ".__doc__"}
_PLAIN = (type(None), bool, int, float, complex, bytes, str)


class Walker:
    """Makes each node once, whatever number of stages reach it; `drain` fills those that are waiting."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.resolver = Resolver(modules)
        self.remarks: dict[int, list[Remark]] = {}
        self.values: dict[str, tuple[Node, Live]] = {}
        self.certain: dict[str, bool] = {}
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._kept: list[Any] = []
        self._syntax: dict[tuple[int, bool], Syntax] = {}

    def drain(self) -> None:
        """Fill every node that has been referred to, without recursion: chains of calls may be thousands long."""
        while self._waiting:
            self._waiting.popleft()()

    def _node(self, key: tuple[Any, ...], make: Callable[[], Node], fill: Callable[[Node], None]) -> Node:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = make()
            made = node
            self._waiting.append(lambda: fill(made))
        return node

    # --- targets of references

    def target(self, found: Live, at: Place) -> Node | str:
        """The entry of a live object; a string for something outside the project."""
        value = found.value
        if found.module is not None:
            hidden = self._hidden(found)
            if hidden:
                return self._decorated(found, hidden)
        if isinstance(value, types.FunctionType):
            return self.code_of(value)
        if isinstance(value, type) and not isinstance(value, types.GenericAlias):
            return self.class_of(value)
        if isinstance(value, types.ModuleType):
            return self.module_of(value)
        return self._value(found, at)

    def _value(self, found: Live, at: Place) -> Node:
        home = found.module
        key = ("v", home.path, found.name) if home else ("id", id(found.value))
        self._kept.append(found.value)

        def make() -> Node:
            place = self.place_of(home, found.name) if home else at
            label = pretty(found.name)
            return Node(f"const:{label}", f"const:{home.name if home else at.file}.{label}", place)

        return self._node(key, make, lambda node: self.write_value(node, found))

    def write_value(self, node: Node, found: Live) -> None:
        """Fill a node with a value; where the value resists, with the statements that made it."""
        key = self.key_of(found, node)
        if key in self.values and self.values[key][0] is not node:
            key += f"#{len(self.values)}"
        self.values[key] = (node, found)
        try:
            Encoder(self, node).encode(found.value)
        except (Resists, RecursionError) as error:
            why = str(error) if isinstance(error, Resists) else "it is nested too deeply"
            self.remark(
                node, "untracked", why, "keep plain data at module level, and make such objects in the function"
            )
            self.write_statements(node, found)

    def key_of(self, found: Live, node: Node | None = None) -> str:
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
            self.remark(node, "untracked", why, "make it in the function that uses it")
        self.drain()

    def write_statements(self, node: Node, found: Live) -> None:
        """Replace a value by the statements that bind its name."""
        node.clear()
        bindings = found.module.bindings.get(found.name.split(".")[0].split("[")[0], []) if found.module else []
        statements = [binding.node for binding in bindings if not binding.origin]
        if not statements or found.module is None:
            node.text(f"unread {self.public_name(type(found.value))}")
            return
        self.write(node, statement_syntax(statements), (found.module, {}))

    def _hidden(self, found: Live) -> list[ast.stmt]:
        """Decorated definitions behind a name whose value is not the function or class that they define."""
        home, value = found.module, found.value
        assert home is not None
        code = getattr(value, "__code__", None)
        if (
            code is not None
            and code.co_name == found.name
            and code.co_filename == home.path
            and "<locals>" not in value.__qualname__
        ):
            return []
        if isinstance(value, type) and value.__name__ == found.name and value.__module__ == home.name:
            return []
        bindings = home.bindings.get(found.name, ())
        return [b.node for b in bindings if isinstance(b.node, _DEFINITIONS) and b.node.decorator_list]

    def _decorated(self, found: Live, hidden: list[ast.stmt]) -> Node:
        home = found.module
        assert home is not None
        kind = "class" if isinstance(hidden[0], ast.ClassDef) else "func"

        def make() -> Node:
            name = f"{found.name} (decorated)"
            return Node(f"{kind}:{name}", f"{kind}:{home.name}.{name}", self.place_of(home, found.name))

        def fill(node: Node) -> None:
            self.write_value(node, Live(found.value, None, found.name))
            for statement in hidden:
                self.write_definition(node, statement, home, decorators="shallow")

        return self._node(("d", home.path, found.name), make, fill)

    # --- functions

    def code_of(self, function: types.FunctionType) -> Node | str:
        """The entry of a project function."""
        module = self.modules.of_function(function)
        if module is None:
            return self._generated(function)
        tree = find_function(function, module)
        if tree is None:
            return self._generated(function)
        self._kept.append(function)
        return self._node(
            ("f", id(function)),
            lambda: self._function_node(function, module, tree),
            lambda node: self._write_function(node, function, module, tree),
        )

    def _function_node(self, function: types.FunctionType, module: Module, tree: ast.AST) -> Node:
        name = display_of(function.__code__.co_qualname, module)
        return Node(
            name, f"{name.split(':')[0]}:{module.name}.{function.__code__.co_qualname}", self.place(module, tree)
        )

    def _write_function(self, node: Node, function: types.FunctionType, module: Module, tree: ast.AST) -> None:
        closure = _closure(function)
        self.write(node, self.syntax_of(tree, defaults=False), (module, closure))
        self._write_defaults(node, function, module, tree)
        for decorator in getattr(tree, "decorator_list", ()):
            self.write(node, expression_syntax(decorator), (module, closure), shallow=True)
        if "__class__" in closure and isinstance(closure["__class__"], type):
            self.refer(node, self.class_of(closure["__class__"]))
        self._write_attributes(node, function)

    def _write_defaults(self, node: Node, function: types.FunctionType, module: Module, tree: ast.AST) -> None:
        named = dict(function.__kwdefaults__ or {})
        count = function.__code__.co_argcount
        values = function.__defaults__ or ()
        named.update(zip(function.__code__.co_varnames[count - len(values) : count], values, strict=True))
        for name in sorted(named):
            node.text("default " + name)
            self._write_anonymous(node, named[name], name, module)

    def _write_anonymous(self, node: Node, value: Any, name: str, module: Module) -> None:
        """A value without a name at module level: a default or an attribute."""
        if isinstance(value, _PLAIN):
            Encoder(self, node).encode(value)
        else:
            self.refer(node, self.target(Live(value, None, name), node.place))

    def _write_attributes(self, node: Node, function: types.FunctionType) -> None:
        held = vars(function)
        for name in sorted(held):
            if name == "__pivot_depends_on__":
                for value in held[name]:
                    self._write_anonymous(
                        node, value, "depends_on", self.modules.by_path(function.__code__.co_filename)
                    )  # type: ignore[arg-type]
            elif not name.startswith("__pivot"):
                node.text("attribute " + name)
                self.refer(node, self.target(Live(held[name], None, name), node.place))

    def _generated(self, function: types.FunctionType) -> Node | str:
        """A function without source: of a package, or made by `exec` in a project module."""
        module = self.modules.defining(str(function.__globals__.get("__name__")))
        if (
            module is None
            or self.modules.by_path(function.__code__.co_filename) is None
            and not function.__code__.co_filename.startswith("<")
        ):
            return "X:" + self.public_name(function)
        self._kept.append(function)
        return self._node(
            ("f", id(function)),
            lambda: Node(
                f"func:{function.__name__}", f"func:{module.name}.{function.__qualname__}", Place(self.file(module), 1)
            ),
            lambda node: self._write_generated(node, function, module),
        )

    def _write_generated(self, node: Node, function: types.FunctionType, module: Module) -> None:
        code = function.__code__
        node.text(f"generated {code.co_varnames[: code.co_argcount]} {code.co_names}")
        for constant in code.co_consts:
            if isinstance(constant, _PLAIN) and constant is not None:
                node.text(constant_token(constant))
        node.edge(self.whole(module))
        self.remark(node, "coarse", "it is made at run time, so its whole module counts", "")

    # --- classes

    def class_of(self, kind: type) -> Node | str:
        """The entry of a project class, with all its methods."""
        if not self.owns_class(kind):
            return "X:" + self.public_name(kind)
        module = self.modules.defining(kind.__module__)
        assert module is not None
        trees = module.class_nodes(kind.__qualname__)
        tree = _fitting(trees, kind)
        self._kept.append(kind)

        def make() -> Node:
            place = self.place(module, tree) if tree else Place(self.file(module), 1)
            return Node(f"class:{kind.__name__}", f"class:{module.name}.{kind.__qualname__}", place)

        return self._node(("c", id(kind)), make, lambda node: write_class(self, node, kind, module, tree))

    def owns_class(self, kind: type) -> bool:
        return self.resolver.is_project_class(kind)

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
            lambda node: self.write(node, statement_syntax(_active(module.source.tree.body)), (module, {})),
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

    # --- writing references

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
                self._write_ref(node, ref, found, rest, number, scope, shallow)
        for doubt in syntax.doubts:
            why = f"`{doubt.what}` runs text that only the run knows"
            self.remark(node, "untracked", why, "name the code with pivot.depends_on(...)", line=doubt.line)

    def _write_ref(
        self, node: Node, ref: Ref, found: Found, rest: tuple[str, ...], number: int, scope: Scope, shallow: bool
    ) -> None:
        if ref.use == "annotation":
            self._annotation(node, found)
            return
        if ref.use.startswith("import") or (ref.origins and not ref.name):
            self._write_import(node, ref, scope[0])
            if ref.use == "import":
                return
        node.text(f"={number}")
        if shallow:
            self._refer_shallow(node, found, rest)
            return
        self.refer_found(node, found, rest)
        if isinstance(found, External) and found.path.startswith(("builtins.globals", "sys.modules")):
            node.edge(self.whole(scope[0]))

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
        for inner in sorted(type.__subclasses__(kind), key=lambda one: one.__qualname__):
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
        if isinstance(found, Live):
            value = found.value
            if isinstance(value, types.FunctionType):
                self.refer(node, self._shallow(value))
            elif isinstance(value, type) and self.owns_class(value):
                for inner in vars(value).values():
                    if isinstance(inner, types.FunctionType):
                        self.refer(node, self._shallow(inner))
            elif isinstance(value, _PLAIN):
                self.refer(node, self.target(found, node.place))
            return
        if isinstance(found, External | Written):
            self.refer_found(node, found, ())

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
            lambda: self._function_node(function, home, tree),
            lambda node: self.write(node, syntax, (home, _closure(function)), shallow=True),
        )

    # --- names, places, remarks

    def file(self, module: Module) -> str:
        return self.modules.files.relative(module.path)

    def place(self, module: Module, tree: ast.AST) -> Place:
        """File, line of the definition and source text of a tree."""
        line = getattr(tree, "lineno", 1)
        first = min([line, *(decorator.lineno for decorator in getattr(tree, "decorator_list", ()))])
        return Place(self.file(module), line, module.lines(first, getattr(tree, "end_lineno", line)))

    def place_of(self, module: Module, name: str) -> Place:
        """Where a module binds a name."""
        bindings = module.bindings.get(name.split(".")[0].split("[")[0], ())
        return self.place(module, bindings[-1].node) if bindings else Place(self.file(module), 1)

    def remark(self, node: Node, kind: str, why: str, mend: str, line: int | None = None) -> None:
        """Say something about a node, once, wherever it is reached."""
        name = node.name.partition(":")[2]
        told = Remark(kind, name, node.place.file, line or node.place.line, why, mend)
        known = self.remarks.setdefault(id(node), [])
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


def find_function(function: types.FunctionType, module: Module) -> ast.AST | None:
    """The tree that a function was compiled from."""
    code = function.__code__
    if code.co_name == "<lambda>":
        return _find_lambda(code, module.lambdas.get(code.co_firstlineno, []))
    for _, tree in module.definitions.get(code.co_firstlineno, ()):
        if getattr(tree, "name", None) == code.co_name and isinstance(tree, _FUNCTIONS):
            return tree
    return None


def _find_lambda(code: types.CodeType, candidates: list[ast.Lambda]) -> ast.Lambda | None:
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    spots = [(line, column) for line, _, column, _ in code.co_positions() if line is not None and column is not None]
    inside = [
        node
        for node in candidates
        if all(
            (node.body.lineno, node.body.col_offset) <= spot <= (node.body.end_lineno, node.body.end_col_offset)
            for spot in spots
            if spot[1] or spot[0] != code.co_firstlineno
        )
    ]
    return min(inside, key=lambda node: (node.end_col_offset or 0) - node.col_offset) if inside else candidates[0]


def _closure(function: types.FunctionType) -> Mapping[str, Any]:
    held = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            held[name] = cell.cell_contents
        except ValueError:
            continue  # not bound yet
    return held


def _fitting(trees: list[ast.ClassDef], kind: type) -> ast.ClassDef | None:
    """The definition of a class, where several have its name."""
    lines = {value.__code__.co_firstlineno for value in vars(kind).values() if isinstance(value, types.FunctionType)}
    for tree in trees:
        if any(tree.lineno <= line <= (tree.end_lineno or tree.lineno) for line in lines):
            return tree
    return trees[-1] if trees else None


def _active(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that do something when the module is imported, definitions and plain assignments left out."""
    return [statement for statement in body if _acts(statement)]


_PASSIVE = {"lru_cache", "cache", "wraps", "dataclass", "contextmanager", "total_ordering", "singledispatch"}


def _passive(decorator: ast.expr) -> bool:
    """Whether a decorator of the standard library keeps the definition and does nothing else."""
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")) in _PASSIVE


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, _DEFINITIONS):
        return any(not _passive(decorator) for decorator in statement.decorator_list)
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
        return any(isinstance(inner, ast.Call | ast.Await) for inner in ast.walk(statement))
    return True
