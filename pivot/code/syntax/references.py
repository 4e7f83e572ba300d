"""References and literals as a syntax tree writes them."""

from __future__ import annotations

import ast
from typing import Any, Literal, NamedTuple

from msgspec import Struct

Use = Literal["load", "annotation", "import", "import-used", "import-value"]
_IMPORT_CALLS = {("import_module",), ("importlib", "import_module"), ("__import__",)}


class Import(NamedTuple):
    """What an import statement names: `module` after `level` dots, and the name taken from it, if one is.

    `top` tells `import a.b`, which binds `a`, from `import a.b as c`, which binds `a.b`.
    """

    module: str
    level: int = 0
    attr: str | None = None
    top: bool = False


class Ref(NamedTuple):
    """A name that is not local, with the attributes (`.fit`) and literal keys (`['a']`) read from it.

    An import inside a function is "import-used" where loads of its name say all of it but what it runs.
    """

    name: str
    chain: tuple[str, ...] = ()
    origins: tuple[Import, ...] = ()
    use: Use = "load"

    def __str__(self) -> str:
        return self.name + "".join(self.chain)


class Doubt(Struct, frozen=True):
    """A construct whose meaning only the run knows, such as `eval` of a built string."""

    line: int
    what: str


class Syntax(NamedTuple):
    """Tokens, in which `@n` stands for `refs[n]`; references of annotations have no token.

    `reads` says what some function or class is asked for, and so counts: `names` (`f.__name__`), `annotations`, `docs`;
    a `signature` tells annotations unless only its `parameters` are used and the `annotation` of none; `imports` says
    that some code imports a module by a name that only the run knows.
    """

    tokens: tuple[str, ...]
    refs: tuple[Ref, ...]
    doubts: tuple[Doubt, ...] = ()
    reads: frozenset[str] = frozenset()


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


def annotation_parts(node: ast.expr) -> list[ast.expr]:
    """The names in an annotation; strings inside it are annotations too."""
    parts: list[ast.expr] = []
    todo: list[ast.AST] = [node]
    while todo:
        item = todo.pop()
        if type(item) is ast.Name or (type(item) is ast.Attribute and chain_of(item) is not None):
            parts.append(item)
        elif type(item) is ast.Constant:
            if isinstance(item.value, str) and item is not node:
                parts.append(item)
        elif type(item) is ast.Call:
            continue  # an artifact or other metadata; custom loaders are reached from the stage
        elif type(item) is ast.Subscript:
            todo += (item.slice, item.value)
        elif type(item) is ast.Tuple:
            todo += reversed(item.elts)
        else:
            todo.extend(reversed(list(ast.iter_child_nodes(item))))
    return parts


def chain_of(node: Any) -> Ref | None:
    """`a.b['k'].c`, `getattr(a, "b")`, `import_module("a").b` as one reference; None for anything else."""
    parts: list[str] = []
    while True:
        kind = type(node)
        if kind is ast.Name:
            return Ref(node.id, tuple(reversed(parts)))
        if kind is ast.Attribute:
            parts.append("." + node.attr)
            node = node.value
        elif kind is ast.Subscript and type(node.slice) is ast.Constant:
            parts.append("[" + constant_token(node.slice.value))
            node = node.value
        elif kind is ast.Subscript and _is_own_module(node):
            parts.append("[__name__")
            node = node.value
        elif kind is ast.Call:
            if parts and parts[-1][:2] == "[s" and is_globals(node):
                return Ref(parts.pop()[2:], tuple(reversed(parts)))
            origin = import_call(node)
            if origin:
                return Ref("", tuple(reversed(parts)), (origin,))
            attribute = _literal_getattr(node)
            if attribute is None:
                return None
            parts.append(attribute)
            node = node.args[0]
        else:
            return None


def _is_own_module(node: ast.Subscript) -> bool:
    """`sys.modules[__name__]`"""
    whole = node.value
    return (
        isinstance(node.slice, ast.Name)
        and node.slice.id == "__name__"
        and (whole.attr if isinstance(whole, ast.Attribute) else getattr(whole, "id", "")) == "modules"
    )


def is_globals(node: ast.expr) -> bool:
    """Whether this is the call `globals()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"


def _literal_getattr(node: ast.Call) -> str | None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        return None
    if node.func.id == "getattr" and len(node.args) == 2:
        literal = node.args[1]
        if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
            return "." + literal.value
    return None


def import_call(node: ast.expr) -> Import | None:
    """What `import_module("a.b")` or `__import__("a")` names."""
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
