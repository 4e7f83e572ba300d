"""The entry of a class: bases, metaclass, fields, and what its name space holds at run time."""

from __future__ import annotations

import abc
import ast
import dataclasses
import enum
import types
from typing import Any, Protocol

from msgspec import Struct

from pivot.code.graph.nodes import Node, SourcePlace
from pivot.code.lookup.modules import Module
from pivot.code.lookup.resolver import Scope
from pivot.code.lookup.targets import LiveObject
from pivot.code.syntax.normalise import annotation_syntax, expression_syntax, function_syntax, statement_syntax
from pivot.code.syntax.references import Syntax
from pivot.code.walk.class_members import BY_HAND, counts, is_made, set_by_hand
from pivot.code.walk.param_defaults import params_class

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN_MODULES = {"builtins", "abc", "typing", "enum", "collections.abc"}


class ClassWalker(Protocol):
    """What the writing of a class asks of the walker."""

    def write(self, node: Node, syntax: Syntax, scope: Scope, *, shallow: bool = False) -> None: ...
    def refer(self, node: Node, target: Node | str) -> None: ...
    def target(self, found: LiveObject, at: SourcePlace) -> Node | str: ...
    def class_of(self, kind: type, valued: bool = False) -> Node | str: ...
    def owns_class(self, kind: type) -> bool: ...
    def refer_subclasses(self, node: Node, kind: type) -> None: ...


class ClassSource(Struct, frozen=True):
    """The statement of a class, and its fields whose defaults are no part of the code (`walk.param_defaults`)."""

    tree: ast.ClassDef | None
    valued: frozenset[str] = frozenset()


def write_class(walker: ClassWalker, node: Node, kind: type, module: Module, source: ClassSource) -> None:
    """Fill the node of a live class."""
    scope: Scope = (module, {})
    tree, valued = source.tree, source.valued
    node.valued = bool(valued)
    node.text("class " + kind.__name__)  # the name stands in pickles and in the text of objects
    for base in kind.__bases__:
        if base is not object:
            walker.refer(node, walker.class_of(base, bool(valued)))
    if type(kind) is not type:
        node.text("metaclass")
        walker.refer(node, walker.class_of(type(kind)))
    if tree is not None:
        _write_heading(walker, node, tree, scope)
        _write_body(walker, node, kind, source, scope)
    else:
        made = [binding.node for binding in module.bindings.get(kind.__name__, ()) if not binding.origin]
        walker.write(node, statement_syntax(made), scope)
        _write_made_fields(walker, node, kind)
    _write_registered(walker, node, kind)
    _write_space(walker, node, kind, source, scope)


def _write_registered(walker: ClassWalker, node: Node, kind: type) -> None:
    """Virtual subclasses: `isinstance` asks for them."""
    if not issubclass(type(kind), abc.ABCMeta):
        return
    held = (reference() for reference in abc._get_dump(kind)[0])  # type: ignore[attr-defined]
    for inner in sorted(
        (one for one in held if one is not None), key=lambda one: f"{one.__module__}.{one.__qualname__}"
    ):
        node.text(f"virtual {inner.__name__}")
        if walker.owns_class(inner):
            walker.refer(node, walker.class_of(inner))


def write_made_class(walker: ClassWalker, node: Node, kind: type) -> None:
    """Fill the node of a class that a call has made, of which no module knows: bases, fields and name space."""
    node.text("class " + kind.__name__)
    for base in kind.__bases__:
        if base is not object:
            walker.refer(node, walker.class_of(base))
    _write_made_fields(walker, node, kind)
    for name in sorted(name for name, value in vars(kind).items() if counts(name, value) and not is_made(value)):
        node.text("name " + name)
        walker.refer(node, walker.target(LiveObject(vars(kind)[name], None, f"{kind.__name__}.{name}"), node.place))


def _write_made_fields(walker: ClassWalker, node: Node, kind: type) -> None:
    """The fields of a dataclass that has no class statement."""
    for name, field in vars(kind).get("__dataclass_fields__", {}).items():
        node.text(f"field {name} {field.init} {field.repr} {field.compare} {field.hash} {field.kw_only}")
        for value in (field.default, field.default_factory):
            if value is not dataclasses.MISSING:
                walker.refer(node, walker.target(LiveObject(value, None, f"{kind.__name__}.{name}"), node.place))


def _write_body(walker: ClassWalker, node: Node, kind: type, source: ClassSource, scope: Scope) -> None:
    """What only the source says of a class: annotations, and statements that a metaclass may have read."""
    tree = source.tree
    assert tree is not None
    annotated = [part for part in tree.body if isinstance(part, ast.AnnAssign)]
    if _reads_annotations(walker, kind, tree):
        _write_fields(walker, node, tree, scope, source.valued)
        annotated = []
    for part in annotated:
        walker.write(node, annotation_syntax(part.annotation), scope)
    if "__subclasses__" in node.place.source:
        walker.refer_subclasses(node, kind)
    if not _is_plain(walker, kind):
        rest = [part for part in tree.body if not isinstance(part, (*_FUNCTIONS, ast.AnnAssign))]
        walker.write(node, statement_syntax(rest), scope)


def _write_heading(walker: ClassWalker, node: Node, tree: ast.ClassDef, scope: Scope) -> None:
    for keyword in tree.keywords:
        if keyword.arg != "metaclass":
            walker.write(node, expression_syntax(keyword), scope)
    for decorator in tree.decorator_list:
        node.text("decorator")
        walker.write(node, expression_syntax(decorator), scope, shallow=True)


def _write_fields(
    walker: ClassWalker, node: Node, tree: ast.ClassDef, scope: Scope, valued: frozenset[str] = frozenset()
) -> None:
    """Annotated fields in order: a dataclass, a model or a TypedDict is made from them."""
    for part in tree.body:
        if not isinstance(part, ast.AnnAssign) or not isinstance(part.target, ast.Name):
            continue
        node.text("field " + part.target.id)
        if part.target.id in valued and (inner := params_class(walker, part.annotation, scope[0])):
            walker.refer(node, walker.class_of(inner, True))
        else:
            walker.write(node, expression_syntax(_without_artifacts(part.annotation, scope[0])), scope)
        if part.value is not None and part.target.id not in valued:
            walker.write(node, expression_syntax(part.value), scope)


def _without_artifacts(annotation: ast.expr, module: Module) -> ast.expr:
    """`Annotated[T, pivot.Out(...)]` as `T`: paths and loaders of a stage stand in its spec."""
    if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
        return annotation
    first, *rest = annotation.slice.elts
    kept = [part for part in rest if not _is_artifact(part, module)]
    if len(kept) == len(rest):
        return annotation
    return first if not kept else ast.Subscript(annotation.value, ast.Tuple([first, *kept], ast.Load()), ast.Load())


def _is_artifact(part: ast.expr, module: Module) -> bool:
    if not isinstance(part, ast.Call):
        return False
    function = part.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    while isinstance(function, ast.Attribute):
        function = function.value
    value = (module.live or {}).get(getattr(function, "id", ""))
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", "")
    return bool(name) and str(home).split(".")[0] == "pivot"


def _reads_annotations(walker: ClassWalker, kind: type, tree: ast.ClassDef) -> bool:
    if tree.decorator_list or tree.keywords or not _is_plain(walker, kind):
        return True
    return (
        "__dataclass_fields__" in vars(kind)
        or hasattr(kind, "_fields")
        or any("__init_subclass__" in vars(parent) or "__set_name__" in vars(parent) for parent in kind.__mro__[:-1])
    )


def _is_plain(walker: ClassWalker, kind: type) -> bool:
    """Whether class and bases do nothing with the body but keep it."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return True
    outside = [parent for parent in (*kind.__mro__, type(kind)) if not walker.owns_class(parent)]
    return all(parent.__module__ in _PLAIN_MODULES for parent in outside) and type(kind).__name__ != "_TypedDictMeta"


def _write_space(walker: ClassWalker, node: Node, kind: type, source: ClassSource, scope: Scope) -> None:
    tree = source.tree
    own = {name for part in (tree.body if tree else ()) for name in _bound(part)}
    space = {
        name: value
        for name, value in vars(kind).items()
        if name not in source.valued
        and ((counts(name, value) and (name in own or not is_made(value))) or (name in own and name in BY_HAND))
    }
    if isinstance(kind, enum.EnumType):
        members: dict[str, Any] = dict(kind.__members__)
        for name, member in members.items():
            space.pop(name, None)
            node.text("member " + name)
            walker.refer(node, walker.target(LiveObject(member._value_, None, f"{kind.__name__}.{name}"), node.place))
            for held, value in sorted(set_by_hand(kind, member).items()):
                node.text("held " + held)
                walker.refer(node, walker.target(LiveObject(value, None, f"{kind.__name__}.{name}.{held}"), node.place))
    bodies = _methods(tree)
    for name in sorted(space):
        node.text("name " + name)
        value = space[name]
        walker.refer(node, walker.target(LiveObject(value, None, f"{kind.__name__}.{name}"), node.place))
        for body in bodies.pop(name, ()):
            if not _is_raw(value, body):
                _write_method(walker, node, body, scope)
    for name in sorted(bodies):
        for body in bodies[name]:
            _write_method(walker, node, body, scope)


def _bound(part: ast.stmt) -> list[str]:
    if isinstance(part, (*_FUNCTIONS, ast.ClassDef)):
        return [part.name]
    return [node.id for node in ast.walk(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _methods(tree: ast.ClassDef | None) -> dict[str, list[ast.stmt]]:
    table: dict[str, list[ast.stmt]] = {}
    for part in tree.body if tree else ():
        if isinstance(part, _FUNCTIONS) and part.decorator_list:
            table.setdefault(part.name, []).append(part)
    return table


_WRAPPERS = (staticmethod, classmethod, property)


def _is_raw(value: Any, body: ast.stmt) -> bool:
    """Whether the live value is made of this very definition, so that its entry says everything."""
    parts = (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value,)
    for part in parts:
        function = part.__func__ if isinstance(part, staticmethod | classmethod) else part
        code = function.__code__ if type(function) is types.FunctionType else None
        if code is not None and body.lineno >= code.co_firstlineno >= _first(body):
            return True
    return False


def _first(body: ast.stmt) -> int:
    lines: list[int] = [decorator.lineno for decorator in getattr(body, "decorator_list", ())]
    return min([body.lineno, *lines])


def _write_method(walker: ClassWalker, node: Node, body: ast.stmt, scope: Scope) -> None:
    walker.write(node, function_syntax(body, defaults=True), scope)
    for decorator in getattr(body, "decorator_list", ()):
        walker.write(node, expression_syntax(decorator), scope, shallow=True)


def write_class_syntax(walker: ClassWalker, node: Node, tree: ast.ClassDef, module: Module) -> None:
    """A class of a module that was not imported, by its source alone."""
    scope: Scope = (module, {})
    node.text("class " + tree.name)
    heading: list[ast.expr | ast.keyword] = [*tree.bases, *tree.keywords, *tree.decorator_list]
    for part in heading:
        walker.write(node, expression_syntax(part), scope)
    _write_fields(walker, node, tree, scope)
    methods = [part for part in tree.body if isinstance(part, _FUNCTIONS)]
    rest = [part for part in tree.body if not isinstance(part, (*_FUNCTIONS, ast.AnnAssign))]
    walker.write(node, statement_syntax(rest), scope)
    for method in sorted(methods, key=lambda method: method.name):
        node.text("name " + method.name)
        _write_method(walker, node, method, scope)
