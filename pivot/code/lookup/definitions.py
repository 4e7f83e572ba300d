"""Live functions and classes, and the trees that they were compiled from."""

from __future__ import annotations

import ast
import dis
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from pivot.code.lookup.modules import Module
from pivot.code.syntax.references import constant_token, is_type_checking

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


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
    # Python 3.12 gives no column to a lambda that returns a constant: then what it compiles to tells.
    exact = [node for node in inside if _compiles_to(node, code)] if len(inside) > 1 else inside
    if exact:
        return exact[0]
    return min(inside, key=lambda node: (node.end_col_offset or 0) - node.col_offset) if inside else candidates[0]


def _compiles_to(node: ast.Lambda, code: types.CodeType) -> bool:
    compiled = compile(ast.Expression(node), "<lambda>", "eval").co_consts
    return any(
        (one.co_code, one.co_consts, one.co_names, one.co_varnames)
        == (code.co_code, code.co_consts, code.co_names, code.co_varnames)
        for one in compiled
        if isinstance(one, types.CodeType)
    )


def closure_of(function: types.FunctionType, module: Module | None = None) -> Mapping[str, Any]:
    """What a function has captured, by name, and its globals where it has others than the module of its source."""
    held = {}
    if module is not None and module.live is not function.__globals__:
        held.update(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            held[name] = cell.cell_contents
        except ValueError:
            continue  # not bound yet
    return held


_OPERATORS = {"BINARY_OP", "COMPARE_OP", "CONTAINS_OP", "IS_OP", "UNARY_NOT", "UNARY_NEGATIVE", "UNARY_INVERT"}


def code_tokens(code: types.CodeType) -> Iterator[str]:
    """What compiled code says in words that every Python shares: names, operators and constants, of inner code too."""
    yield f"generated {code.co_varnames[: code.co_argcount]} {code.co_names}"
    for one in dis.get_instructions(code):
        if one.opname in _OPERATORS:
            yield one.opname + one.argrepr.removeprefix("bool(").removesuffix(")")
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_tokens(constant)
        elif isinstance(constant, tuple | frozenset):
            yield " ".join(
                sorted(map(constant_token, constant)) if isinstance(constant, frozenset) else map(repr, constant)
            )
        elif constant is not None:
            yield constant_token(constant)


def captures(function: types.FunctionType) -> bool:
    """Whether a function holds values of its own: captured ones, or the function that it stands for."""
    return bool(function.__closure__ or function.__defaults__ or function.__kwdefaults__ or vars(function))


def made_of_text(function: types.FunctionType) -> bool:
    """Whether `exec` made a function in a dict that belongs to no module; `namedtuple` does so with its own."""
    name = function.__globals__.get("__name__")
    file = function.__code__.co_filename
    nowhere = name is None or (name not in sys.modules and not str(name).startswith("namedtuple_"))
    return nowhere and file.startswith("<") and not file.startswith(("<frozen", "<attrs"))


def fitting_class(trees: list[ast.ClassDef], kind: type) -> ast.ClassDef | None:
    """The definition of a class, where several have its name."""
    lines = {value.__code__.co_firstlineno for value in vars(kind).values() if isinstance(value, types.FunctionType)}
    for tree in trees:
        if any(tree.lineno <= line <= (tree.end_lineno or tree.lineno) for line in lines):
            return tree
    return trees[-1] if trees else None


def active(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that do something when the module is imported, definitions and plain assignments left out."""
    return [statement for statement in body if _acts(statement)]


_PASSIVE = {"lru_cache", "cache", "wraps", "dataclass", "contextmanager", "total_ordering", "singledispatch"}


def _passive(decorator: ast.expr) -> bool:
    """Whether a decorator of the standard library keeps the definition and does nothing else."""
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")) in _PASSIVE


# Calls at module level that make a value and do nothing else.
_MAKERS = {"getLogger", "TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "namedtuple", "frozenset"}


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, _DEFINITIONS):
        return any(not _passive(decorator) for decorator in statement.decorator_list)
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
        return any(isinstance(inner, ast.Call | ast.Await) and not _makes(inner) for inner in ast.walk(statement))
    if isinstance(statement, ast.If) and (is_type_checking(statement.test) or is_script_guard(statement.test)):
        return any(map(_acts, statement.orelse))
    return True


def is_script_guard(test: ast.expr) -> bool:
    """`__name__ == "__main__"`, alone or with more conditions beside it: never so in an import."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(map(is_script_guard, test.values))
    parts = [test.left, *test.comparators] if isinstance(test, ast.Compare) and type(test.ops[0]) is ast.Eq else []
    return {getattr(part, "id", getattr(part, "value", None)) for part in parts} == {"__name__", "__main__"}


def _makes(call: ast.Call | ast.Await) -> bool:
    called = call.func if isinstance(call, ast.Call) else call
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in _MAKERS


def filling_statements(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    """The statements at module level that change what a name holds: `K.add(1)`, `K["a"] = 1`, `fill(K)`, `@K.get`."""
    return [statement for statement in body if any(_mentions(part, name) for part in _acting_parts(statement))]


def _acting_parts(statement: ast.stmt) -> list[Any]:
    if isinstance(statement, _DEFINITIONS):
        return statement.decorator_list
    if isinstance(statement, ast.Assign | ast.Delete):
        return [target for target in statement.targets if not isinstance(target, ast.Name)]
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return [] if isinstance(statement.target, ast.Name) else [statement.target]
    is_script = isinstance(statement, ast.If) and _mentions(statement.test, "__name__")
    return [] if is_script else [statement]


def _mentions(tree: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(tree))
