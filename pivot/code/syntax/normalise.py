"""A syntax tree as a stream of tokens that is equal on every supported Python, with its references left open.

Left out: comments, docstrings, positions, annotations, the own name. A name that is not local to the tree becomes
`@n`, the n-th distinct reference; `resolve` says what it means, so that neither the names of modules nor those of
helpers stand in the digest.
"""

from __future__ import annotations

import ast
from typing import Any

from pivot.code.syntax.references import Syntax, annotation_parts
from pivot.code.syntax.statements import Statements

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


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


def annotations_of(node: Any) -> str:
    """The annotations of a function or class as text, for code that asks for them."""
    found = []
    if isinstance(node, ast.ClassDef):
        fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
        return " ".join(
            " ".join(map(_plain, map(expression_syntax, (part.target, part.annotation)))) for part in fields
        )
    for kind, args in _arguments(node.args):
        for arg in args:
            syntax = expression_syntax(arg.annotation) if arg.annotation is not None else None
            found.append(f"{kind}{arg.arg} {_plain(syntax)}")
    returns = getattr(node, "returns", None)
    return " ".join([*found, _plain(expression_syntax(returns)) if returns is not None else ""])


def _plain(syntax: Syntax | None) -> str:
    return "" if syntax is None else " ".join([*syntax.tokens, *map(str, syntax.refs)])


class _Writer(Statements):
    """Writes tokens in one pass; which names are local is known, and filled in, when their scope ends."""

    # --- nodes

    def visit(self, node: ast.AST) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is None:
            self.generic(node)
        else:
            handler(self, node)

    # --- scopes

    def function(self, node: Any, *, named: bool, defaults: bool) -> None:
        """A function, async function or lambda, nested or the root of the stream."""
        self.out.append(type(node).__name__ + (" " + node.name if named and not isinstance(node, ast.Lambda) else ""))
        arguments: ast.arguments = node.args
        if defaults:
            self._defaults(arguments)
        self.enter("function")
        for kind, args in _arguments(arguments):
            for arg in args:
                self.bind(arg.arg)
                self.out.append(kind + arg.arg)
                if arg.annotation is not None:
                    self.annotation(arg.annotation)
        for parameter in getattr(node, "type_params", ()):
            self.bind(parameter.name)
        if isinstance(node, ast.Lambda):
            self.visit(node.body)
        else:
            if node.returns is not None:
                self.annotation(node.returns)
            self.body(node.body)
        self.leave()
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
            self.bind(node.name)
        self.function(node, named=True, defaults=True)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.out.append("decorator")
            self.visit(decorator)
        self.bind(node.name)
        self.out.append("class " + node.name)
        for base in (*node.bases, *node.keywords):
            self.visit(base)
        self.enter("class")
        for parameter in getattr(node, "type_params", ()):
            self.bind(parameter.name)
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                # a nested dataclass or TypedDict reads these
                self.out.append("annotation")
                self.visit(statement.annotation)
        self.body(node.body)
        self.leave()
        self.out.append(")")

    def _comprehension(self, node: Any) -> None:
        self.out.append(type(node).__name__)
        self.visit(node.generators[0].iter)
        self.enter("comprehension")
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
        self.leave()
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
        for part in annotation_parts(node):
            self.visit(part) if not isinstance(part, ast.Constant) else self.annotation(part)
        del self.out[mark:]
        self.annotating = before


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


_HANDLERS: dict[type, Any] = {
    ast.Name: _Writer.name,
    ast.Attribute: _Writer.chained,
    ast.Subscript: _Writer.chained,
    ast.Constant: _Writer._constant,
    ast.Set: _Writer._set,
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
