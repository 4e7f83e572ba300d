"""A syntax tree as a stream of tokens that is equal on every supported Python, with its references left open.

Left out: comments, docstrings, positions, annotations, the own name. A name that is not local to the tree becomes
`@n`, the n-th distinct reference; `resolve` says what it means, so that neither the names of modules nor those of
helpers stand in the digest.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Literal

Use = Literal["load", "annotation", "import", "import-value"]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORT_CALLS = {("import_module",), ("importlib", "import_module"), ("__import__",)}
_SKIPPED = {"ctx", "type_comment", "kind", "type_params", "type_ignores", "annotation", "returns"}
_FIELDS: dict[type, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Import:
    """What an import statement names: `module` after `level` dots, and the name taken from it, if one is.

    `top` tells `import a.b`, which binds `a`, from `import a.b as c`, which binds `a.b`.
    """

    module: str
    level: int = 0
    attr: str | None = None
    top: bool = False


@dataclass(frozen=True, slots=True)
class Ref:
    """A name that is not local, with the attributes (`.fit`) and literal keys (`['a']`) read from it."""

    name: str
    chain: tuple[str, ...] = ()
    origins: tuple[Import, ...] = ()
    use: Use = "load"

    def __str__(self) -> str:
        return self.name + "".join(self.chain)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A construct whose meaning only the run knows, such as `eval` of a built string."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Syntax:
    """Tokens, in which `@n` stands for `refs[n]`; references of annotations have no token.

    `reads_names` says that the name of some function or class is asked for (`f.__name__`), and so counts.
    """

    tokens: tuple[str, ...]
    refs: tuple[Ref, ...]
    doubts: tuple[Doubt, ...] = ()
    reads_names: bool = False


def function_syntax(node: ast.AST, *, defaults: bool) -> Syntax:
    """A function or lambda without its decorators; `defaults` says whether default values are part of it."""
    writer = _Writer()
    writer.function(node, named=False, defaults=defaults)
    return writer.finish()


def statement_syntax(nodes: list[ast.stmt]) -> Syntax:
    """Statements of a module or a class: every name that they bind stays a reference."""
    writer = _Writer()
    writer.body(nodes)
    return writer.finish(bound_is_local=False)


def expression_syntax(node: ast.expr | ast.keyword) -> Syntax:
    """One expression at module level."""
    writer = _Writer()
    writer.visit(node)
    return writer.finish(bound_is_local=False)


def annotation_syntax(node: ast.expr) -> Syntax:
    """The references of an annotation that nothing reads at run time."""
    writer = _Writer()
    writer.annotation(node)
    return writer.finish(bound_is_local=False)


class _Scope:
    __slots__ = ("bound", "globals", "imports", "kind", "loads", "nonlocals", "statements")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.bound: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.imports: dict[str, list[Import]] = {}
        self.loads: list[tuple[int, Ref]] = []
        self.statements: list[tuple[int, str, Import]] = []


class _Writer:
    """Writes tokens in one pass; which names are local is known, and filled in, when their scope ends."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.scopes = [_Scope("root")]
        self.outer: list[tuple[int, Ref]] = []
        self.notes: list[Ref] = []
        self.doubts: list[Doubt] = []
        self.annotating = False
        self.reads_names = False

    # --- the end of a scope

    def finish(self, *, bound_is_local: bool = True) -> Syntax:
        root = self.scopes[0]
        if not bound_is_local:
            root.bound.clear()
        self._close(root, None)
        numbers: dict[Ref, int] = {}
        for at, ref in sorted(self.outer, key=lambda pair: pair[0]):
            number = numbers.setdefault(ref, len(numbers))
            if at >= 0:
                self.out[at] = f"@{number}"
        return Syntax(tuple(self.out), tuple(numbers), tuple(self.doubts), self.reads_names)

    def _close(self, scope: _Scope, parent: _Scope | None) -> None:
        imported = scope.imports.keys() - scope.globals
        for at, ref in scope.loads:
            name = ref.name
            if ref.origins or name in scope.globals:
                self.outer.append((at, ref))
            elif name in imported and name not in scope.bound:
                self.outer.append((at, Ref(name, ref.chain, tuple(scope.imports[name]), ref.use)))
            elif (name in scope.bound and name not in scope.nonlocals) or name in imported:
                if at >= 0:
                    self.out[at] = "n" + name + "".join(ref.chain)
                self.reads_names |= not _NAMES.isdisjoint(ref.chain)
            elif parent is None:
                self.outer.append((at, ref))
            else:
                parent.loads.append((at, ref))
        for at, name, origin in scope.statements:
            use: Use = (
                "import-value" if name in scope.bound or name in scope.globals or scope.kind == "class" else "import"
            )
            self.outer.append((at, Ref(name, (), (origin,), use)))

    def _enter(self, kind: str) -> _Scope:
        scope = _Scope(kind)
        self.scopes.append(scope)
        return scope

    def _leave(self) -> None:
        scope = self.scopes.pop()
        parent = self.scopes[-1]
        if parent.kind == "class" and len(self.scopes) > 1:
            # a function does not see the names of the class around it
            parent = next(outer for outer in reversed(self.scopes) if outer.kind != "class")
        self._close(scope, parent)

    # --- names

    def _load(self, ref: Ref) -> None:
        at = -1 if self.annotating else len(self.out)
        if self.annotating:
            ref = Ref(ref.name, ref.chain, ref.origins, "annotation")
        else:
            self.out.append("")
        self.scopes[-1].loads.append((at, ref))

    def _bind(self, name: str) -> None:
        self.scopes[-1].bound.add(name)

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._load(Ref(node.id))
            return
        scope = self.scopes[-1]
        if node.id in scope.globals:
            self.out.append("g" + node.id)
            return
        self._bind(node.id)
        self.out.append(("b" if isinstance(node.ctx, ast.Store) else "d") + node.id)

    def _chained(self, node: ast.expr) -> None:
        ref = chain_of(node)
        if ref is None or not isinstance(getattr(node, "ctx", None), ast.Load | None):
            self.reads_names |= "." + getattr(node, "attr", "") in _NAMES
            self._generic(node)
        else:
            self._load(ref)

    # --- nodes

    def visit(self, node: ast.AST) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is None:
            self._generic(node)
        else:
            handler(self, node)

    def _generic(self, node: ast.AST) -> None:
        kind = type(node)
        out = self.out
        out.append(kind.__name__)
        for field in _fields(kind):
            value = getattr(node, field)
            if value is None:
                continue
            if isinstance(value, list):
                if value:
                    out.append(field + "[")
                    self._items(value)
                    out.append("]")
            elif isinstance(value, ast.AST):
                out.append(field)
                self.visit(value)
            else:
                out.append(f"{field}={value}")
        out.append(")")

    def _items(self, items: list[Any]) -> None:
        if items and isinstance(items[0], ast.stmt):
            self.body(items)
            return
        for item in items:
            if isinstance(item, ast.AST):
                self.visit(item)
            else:
                self.out.append("-" if item is None else f"={item}")

    def body(self, statements: list[ast.stmt]) -> None:
        """Statements without docstrings, bare constants and `pass`: none of them does anything."""
        for statement in statements:
            kind = type(statement)
            if kind is ast.Pass or (kind is ast.Expr and isinstance(statement.value, ast.Constant)):  # type: ignore[attr-defined]
                continue
            self.visit(statement)

    def _constant(self, node: ast.Constant) -> None:
        self.out.append(constant_token(node.value))

    def _joined(self, node: ast.JoinedStr) -> None:
        # 3.12 splits the literal parts of an f-string in another way than 3.11
        self.out.append("f(")
        literal = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                literal += str(part.value)
                continue
            if literal:
                self.out.append(constant_token(literal))
                literal = ""
            self.visit(part)
        if literal:
            self.out.append(constant_token(literal))
        self.out.append(")")

    def _annassign(self, node: ast.AnnAssign) -> None:
        self.annotation(node.annotation)
        if node.value is None:
            if isinstance(node.target, ast.Name):
                self._bind(node.target.id)
            return
        self._assign(ast.Assign(targets=[node.target], value=node.value))

    def _assign(self, node: ast.Assign) -> None:
        origin = _import_call(node.value)
        target = node.targets[0]
        if origin and len(node.targets) == 1 and isinstance(target, ast.Name) and len(self.scopes) > 1:
            self._import(target.id, origin)
            return
        self._generic(node)

    def _return(self, node: ast.Return) -> None:
        nothing = isinstance(node.value, ast.Constant) and node.value.value is None
        self._generic(ast.Return(value=None) if nothing else node)

    def _if(self, node: ast.If) -> None:
        if is_type_checking(node.test):
            self.body(node.orelse)
        else:
            self._generic(node)

    def _global(self, node: ast.Global) -> None:
        self.scopes[-1].globals.update(node.names)
        self.out.append("global " + " ".join(sorted(node.names)))

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scopes[-1].nonlocals.update(node.names)
        self.out.append("nonlocal " + " ".join(sorted(node.names)))

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name)
        self._generic(node)

    def _capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name)
        self._generic(node)

    def _mapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest)
        self._generic(node)

    def _walrus(self, node: ast.NamedExpr) -> None:
        scope = next(outer for outer in reversed(self.scopes) if outer.kind != "comprehension")
        scope.bound.add(node.target.id)
        self.out.append("walrus " + node.target.id)
        self.visit(node.value)

    def _imports(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, origin in imported_names(node):
            self._import(name, origin)

    def _import(self, name: str, origin: Import) -> None:
        scope = self.scopes[-1]
        scope.imports.setdefault(name, []).append(origin)
        scope.statements.append((len(self.out), name, origin))
        self.out.append("")

    def _call(self, node: ast.Call) -> None:
        ref = chain_of(node)
        if ref is not None:
            self._load(ref)
            return
        if isinstance(node.func, ast.Name) and node.func.id in _DYNAMIC and not _harmless(node):
            self.doubts.append(Doubt(node.lineno, node.func.id))
        self._generic(node)

    # --- scopes

    def function(self, node: Any, *, named: bool, defaults: bool) -> None:
        """A function, async function or lambda, nested or the root of the stream."""
        self.out.append(type(node).__name__ + (" " + node.name if named and not isinstance(node, ast.Lambda) else ""))
        arguments: ast.arguments = node.args
        if defaults:
            self._defaults(arguments)
        self._enter("function")
        for kind, args in _arguments(arguments):
            for arg in args:
                self._bind(arg.arg)
                self.out.append(kind + arg.arg)
                if arg.annotation is not None:
                    self.annotation(arg.annotation)
        for parameter in getattr(node, "type_params", ()):
            self._bind(parameter.name)
        if isinstance(node, ast.Lambda):
            self.visit(node.body)
        else:
            if node.returns is not None:
                self.annotation(node.returns)
            self.body(node.body)
        self._leave()
        self.out.append(")")

    def _defaults(self, arguments: ast.arguments) -> None:
        self.out.append("defaults[")
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is None:
                self.out.append("-")
            else:
                self.visit(default)
        self.out.append("]")

    def _nested_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        if not isinstance(node, ast.Lambda):
            for decorator in node.decorator_list:
                self.out.append("decorator")
                self.visit(decorator)
            self._bind(node.name)
        self.function(node, named=True, defaults=True)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.out.append("decorator")
            self.visit(decorator)
        self._bind(node.name)
        self.out.append("class " + node.name)
        for base in (*node.bases, *node.keywords):
            self.visit(base)
        self._enter("class")
        for parameter in getattr(node, "type_params", ()):
            self._bind(parameter.name)
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                # a nested dataclass or TypedDict reads these
                self.out.append("annotation")
                self.visit(statement.annotation)
        self.body(node.body)
        self._leave()
        self.out.append(")")

    def _comprehension(self, node: Any) -> None:
        self.out.append(type(node).__name__)
        self.visit(node.generators[0].iter)
        self._enter("comprehension")
        for number, generator in enumerate(node.generators):
            self.out.append("async for" if generator.is_async else "for")
            self.visit(generator.target)
            if number:
                self.visit(generator.iter)
            for test in generator.ifs:
                self.out.append("if")
                self.visit(test)
        for field in ("key", "elt", "value"):
            if getattr(node, field, None) is not None:
                self.visit(getattr(node, field))
        self._leave()
        self.out.append(")")

    # --- annotations: only the project classes that they name count

    def annotation(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value.strip(), mode="eval").body
            except SyntaxError:
                return  # a string that is no annotation, as in Annotated[int, "metres"]
        self.annotating, before = True, self.annotating
        mark = len(self.out)
        for part in _annotation_parts(node):
            self.visit(part) if not isinstance(part, ast.Constant) else self.annotation(part)
        del self.out[mark:]
        self.annotating = before


def _annotation_parts(node: ast.expr) -> list[ast.expr]:
    """The names in an annotation; strings inside it are annotations too."""
    parts: list[ast.expr] = []
    todo: list[ast.AST] = [node]
    while todo:
        item = todo.pop()
        if isinstance(item, ast.Name | ast.Attribute) and chain_of(item) is not None:
            parts.append(item)  # type: ignore[arg-type]
        elif isinstance(item, ast.Constant):
            if isinstance(item.value, str) and item is not node:
                parts.append(item)
        elif isinstance(item, ast.Call):
            continue  # an artifact or other metadata; custom loaders are reached from the stage
        else:
            todo.extend(reversed(list(ast.iter_child_nodes(item))))
    return parts


def imported_names(node: ast.Import | ast.ImportFrom) -> list[tuple[str, Import]]:
    """The names that an import statement binds (`*` for a star import), each with what it names."""
    if isinstance(node, ast.ImportFrom):
        return [(alias.asname or alias.name, Import(node.module or "", node.level, alias.name)) for alias in node.names]
    return [
        (alias.asname or alias.name.split(".")[0], Import(alias.name, top=alias.asname is None)) for alias in node.names
    ]


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING`, whose block no run enters."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def constant_token(value: object) -> str:
    """One literal as text: no digits lost, no limit on their number."""
    if isinstance(value, bool) or value is None or value is Ellipsis:
        return f"c{value}"
    if isinstance(value, int):
        return f"i{value:x}"
    if isinstance(value, float):
        return f"r{value.hex()}"
    if isinstance(value, complex):
        return f"j{value.real.hex()},{value.imag.hex()}"
    return f"s{value}" if isinstance(value, str) else f"y{value!r}"


_DYNAMIC = {"eval", "exec"}
_NAMES = {".__name__", ".__qualname__"}


def _harmless(node: ast.Call) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant)


def chain_of(node: ast.AST) -> Ref | None:
    """`a.b['k'].c`, `getattr(a, "b")`, `import_module("a").b` as one reference; None for anything else."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append("." + node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            parts.append("[" + constant_token(node.slice.value))
            node = node.value
        elif isinstance(node, ast.Name):
            return Ref(node.id, tuple(reversed(parts)))
        elif isinstance(node, ast.Call):
            if parts and parts[-1][:2] == "[s" and _is_globals(node):
                return Ref(parts.pop()[2:], tuple(reversed(parts)))
            origin = _import_call(node)
            if origin:
                return Ref("", tuple(reversed(parts)), (origin,))
            attribute = _literal_getattr(node)
            if attribute is None:
                return None
            parts.append(attribute)
            node = node.args[0]
        else:
            return None


def _is_globals(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "globals" and not node.args


def _literal_getattr(node: ast.Call) -> str | None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        return None
    if node.func.id == "getattr" and len(node.args) == 2:
        literal = node.args[1]
        if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
            return "." + literal.value
    return None


def _import_call(node: ast.expr) -> Import | None:
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
        return None
    dotted: list[str] = []
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        dotted.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return None
    name = node.args[0].value
    path = (function.id, *reversed(dotted))
    if path not in _IMPORT_CALLS or not isinstance(name, str) or len(node.args) + len(node.keywords) > 2:
        return None
    level = len(name) - len(name.lstrip("."))
    if level and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
        package = str(node.args[1].value).split(".")
        return Import(".".join([*package[: len(package) - level + 1], name[level:]]))
    return Import(name[level:], level, None, top=path == ("__import__",))


def _arguments(arguments: ast.arguments) -> list[tuple[str, list[ast.arg]]]:
    vararg = [arguments.vararg] if arguments.vararg else []
    kwarg = [arguments.kwarg] if arguments.kwarg else []
    return [
        ("/", arguments.posonlyargs),
        ("a", arguments.args),
        ("*", vararg),
        ("k", arguments.kwonlyargs),
        ("**", kwarg),
    ]


def _fields(kind: type) -> tuple[str, ...]:
    known = _FIELDS.get(kind)
    if known is None:
        names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
        known = _FIELDS[kind] = tuple(name for name in names if name not in _SKIPPED)
    return known


_HANDLERS: dict[type, Any] = {
    ast.Name: _Writer._name,
    ast.Attribute: _Writer._chained,
    ast.Subscript: _Writer._chained,
    ast.Constant: _Writer._constant,
    ast.JoinedStr: _Writer._joined,
    ast.AnnAssign: _Writer._annassign,
    ast.Assign: _Writer._assign,
    ast.If: _Writer._if,
    ast.Return: _Writer._return,
    ast.Global: _Writer._global,
    ast.Nonlocal: _Writer._nonlocal,
    ast.ExceptHandler: _Writer._handler,
    ast.MatchAs: _Writer._capture,
    ast.MatchStar: _Writer._capture,
    ast.MatchMapping: _Writer._mapping,
    ast.NamedExpr: _Writer._walrus,
    ast.Import: _Writer._imports,
    ast.ImportFrom: _Writer._imports,
    ast.Call: _Writer._call,
    ast.FunctionDef: _Writer._nested_function,
    ast.AsyncFunctionDef: _Writer._nested_function,
    ast.Lambda: _Writer._nested_function,
    ast.ClassDef: _Writer._class,
    ast.ListComp: _Writer._comprehension,
    ast.SetComp: _Writer._comprehension,
    ast.DictComp: _Writer._comprehension,
    ast.GeneratorExp: _Writer._comprehension,
}
