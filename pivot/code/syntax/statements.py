"""How the nodes of a tree are written, those that open a scope apart."""

from __future__ import annotations

import ast
import functools
from typing import Any

from pivot.code.syntax.references import (
    Doubt,
    Import,
    Ref,
    chain_of,
    constant_token,
    import_call,
    imported_names,
    is_type_checking,
)
from pivot.code.syntax.scopes import Scopes

_SKIPPED = {"ctx", "type_comment", "kind", "type_params", "type_ignores", "annotation", "returns"}
_DYNAMIC = {"eval", "exec"}
_ASKING = {"getattr", "hasattr"}


class Statements(Scopes):
    """Writes statements and expressions."""

    def annotation(self, node: ast.expr) -> None:
        """Note what an annotation refers to."""
        raise NotImplementedError

    def generic(self, node: ast.AST) -> None:
        kind: Any = type(node)
        out = self.out
        out.append(kind.__name__)
        for field, opening in _fields(kind):
            value = getattr(node, field)
            if value is None:
                continue
            if type(value) is list:
                if value:
                    out.append(opening)
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

    def _set(self, node: ast.Set) -> None:
        """A set of literals has no order."""
        if all(isinstance(item, ast.Constant) for item in node.elts):
            held = {constant_token(item.value) for item in node.elts if isinstance(item, ast.Constant)}
            self.out += ["Set(", *sorted(held), ")"]
        else:
            self.generic(node)

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
                self.bind(node.target.id)
            return
        self._assign(ast.Assign(targets=[node.target], value=node.value))

    def _assign(self, node: ast.Assign) -> None:
        origin = import_call(node.value)
        target = node.targets[0]
        if origin and len(node.targets) == 1 and isinstance(target, ast.Name) and len(self.scopes) > 1:
            self._import(target.id, origin)
            return
        self.generic(node)

    def _return(self, node: ast.Return) -> None:
        nothing = isinstance(node.value, ast.Constant) and node.value.value is None
        self.generic(ast.Return(value=None) if nothing else node)

    def _if(self, node: ast.If) -> None:
        if is_type_checking(node.test):
            self.body(node.orelse)
        else:
            self.generic(node)

    def _global(self, node: ast.Global) -> None:
        self.scopes[-1].globals.update(node.names)
        self.out.append("global " + " ".join(sorted(node.names)))

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scopes[-1].nonlocals.update(node.names)
        self.out.append("nonlocal " + " ".join(sorted(node.names)))

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bind(node.name)
        self.generic(node)

    def _capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.bind(node.name)
        self.generic(node)

    def _mapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bind(node.rest)
        self.generic(node)

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
            self.load(ref)
            return
        if isinstance(node.func, ast.Name) and node.func.id in _ASKING and self._attribute_asked(node, node.func.id):
            return
        if isinstance(node.func, ast.Name) and node.func.id in _DYNAMIC and node.args:
            self._text_run(node, node.func.id)
        elif _asks_for_module(node):
            self.load(Ref("", (), (Import(_literal(node.args[0])),)))
        self.generic(node)

    def _attribute_asked(self, node: ast.Call, function: str) -> bool:
        """`hasattr(module, "fast")`, `getattr(module, "fast", None)`: only that attribute is asked for."""
        if len(node.args) < 2 or node.keywords or not isinstance(node.args[1], ast.Constant):
            return False
        ref = chain_of(ast.Attribute(node.args[0], str(node.args[1].value), ast.Load()))
        if ref is None:
            return False
        self.out.append(function + "(")
        self.load(ref)
        for default in node.args[2:]:
            self.visit(default)
        self.out.append(")")
        return True

    def _text_run(self, node: ast.Call, function: str) -> None:
        """`eval("f()")`: a literal is read as the code that it is; whatever it binds stays inside it."""
        text = _literal(node.args[0])
        if not isinstance(node.args[0], ast.Constant):
            if not _opened_literal(node.args[0]):
                self.doubts.append(Doubt(node.lineno, function))
            return
        try:
            tree = ast.parse(text.strip() if function == "eval" else text)
        except (SyntaxError, ValueError):
            return
        self.enter("function")
        self.body([part for part in tree.body if not isinstance(part, ast.Global)])
        self.leave()


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields that are written, each with the token that opens a list in it."""
    return tuple((name, name + "[") for name in kind._fields if name not in _SKIPPED)


def _literal(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else ""
    return value if isinstance(value, str) else ""


def _asks_for_module(node: ast.Call) -> bool:
    """`find_spec("fast")`: whether the module is there, and so the module, counts; `run_module` runs it."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called in ("find_spec", "run_module") and bool(node.args) and bool(_literal(node.args[0]).strip("."))


def _opened_literal(node: ast.expr) -> bool:
    """Whether an expression names a `.py` file, which is then read as a script (`References.write`)."""
    return any(_literal(part).endswith(".py") for part in ast.walk(node) if isinstance(part, ast.Constant))
