"""What an import leaves behind outside the project's own names: settings, seeds, registrations, patches, variables.

A statement such as `random.seed(1)` or `decimal.getcontext().prec = 5` binds no name, and yet code that uses the
library meets its effect. It counts for whatever reaches a name of the same library.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType

from pivot.code.definitions import find_function, is_script_guard
from pivot.code.found import External, Live
from pivot.code.namespaces import Module
from pivot.code.normalise import expression_syntax
from pivot.code.resolve import Resolver

_BLOCKS = ("body", "orelse", "finalbody")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IDLE = frozenset((*_DEFINITIONS, ast.Import, ast.ImportFrom))
# They give what the library itself goes on using.
_KEEPERS = {"logging.getLogger", "decimal.getcontext"}
# A message that an import logs is no setting.
_MESSAGES = {"debug", "info", "warning", "error", "critical", "exception", "log"}
# `os` and `sys` keep the environment and the import path: what these hold is tracked by itself.
_NO_ROOTS = {"builtins", "pivot", "os", "sys", "typing", "abc", "importlib", "pathlib"}


class Effects:
    """Statements that imported modules execute for their effect, by the library that they act on."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._by_root: dict[str, list[tuple[Module, ast.stmt]]] | None = None

    def on(self, root: str) -> list[tuple[Module, ast.stmt]]:
        """What acts on the library whose top-level module is `root`, in the order of the imports."""
        if self._by_root is None:
            self._by_root = self._collect()
        return self._by_root.get(root, [])

    def _collect(self) -> dict[str, list[tuple[Module, ast.stmt]]]:
        by_root: dict[str, list[tuple[Module, ast.stmt]]] = {}
        imported = [module for module in self._resolver.modules.all() if module.live is not None]
        statements = [
            (module, statement) for module in imported for statement in module.source.tree.body if _may_act(statement)
        ]
        for module, statement in statements:
            for name in self._roots(module, statement):
                by_root.setdefault(name, []).append((module, statement))
        return by_root

    def _roots(self, module: Module, statement: ast.stmt) -> set[str]:
        return self._acted_on(module, [statement], set()) - _NO_ROOTS

    def _acted_on(self, module: Module, statements: list[ast.stmt], seen: set[int]) -> set[str]:
        """The libraries that statements act on, also through calls of the project's own functions."""
        roots: set[str] = set()
        for statement in statements:
            for part in _effective(statement):
                for aim in _aims(part):
                    roots |= self._named(module, aim, seen)
        return roots

    def _named(self, module: Module, aim: ast.expr, seen: set[int]) -> set[str]:
        roots: set[str] = set()
        for ref in expression_syntax(aim).refs:
            for found, _ in self._resolver.resolve(ref, (module, {})):
                if isinstance(found, External):
                    roots.add(found.path.partition(".")[0])
                elif isinstance(found, Live) and type(found.value) is FunctionType and id(found.value) not in seen:
                    seen.add(id(found.value))
                    roots |= self._of_function(found.value, seen)
                elif isinstance(found, Live):
                    roots |= self._holder(found)
        return roots

    def _holder(self, found: Live) -> set[str]:
        """The library whose own object stands under a name: `context = decimal.getcontext()`, `log = getLogger()`."""
        if found.module is None or type(found.value).__module__ not in ("logging", "decimal"):
            return set()
        roots = set()
        for binding in found.module.bindings.get(found.name, ()):
            value = getattr(binding.node, "value", None)
            refs = expression_syntax(value.func).refs if isinstance(value, ast.Call) else ()
            for maker, rest in (one for ref in refs for one in self._resolver.resolve(ref, (found.module, {}))):
                if isinstance(maker, External) and not rest and maker.path in _KEEPERS:
                    roots.add(maker.path.partition(".")[0])
        return roots

    def _of_function(self, function: FunctionType, seen: set[int]) -> set[str]:
        home = self._resolver.modules.of_function(function)
        tree = find_function(function, home) if home else None
        body = getattr(tree, "body", None)
        return self._acted_on(home, body, seen) if home is not None and isinstance(body, list) else set()


def _may_act(statement: ast.stmt) -> bool:
    """Whether a statement has anything to look at: most are imports and definitions without a decorator."""
    return type(statement) not in _IDLE or bool(getattr(statement, "decorator_list", ()))


def _aims(statement: ast.stmt) -> list[ast.expr]:
    """The expressions that name what a statement acts on."""
    if isinstance(statement, _DEFINITIONS):
        return [decorator for decorator in statement.decorator_list if _registers(decorator)]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in _MESSAGES:
            return []
        plain = isinstance(call.func, ast.Name)  # `setattr(library, ...)`, `patch(library)`
        return [call.func, *call.args] if plain else [call.func]
    return [target.value for target in _targets(statement) if isinstance(target, ast.Attribute | ast.Subscript)]


def _targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.Assign | ast.Delete):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AugAssign) else []


def _effective(statement: ast.stmt) -> Iterator[ast.stmt]:
    """A statement and those inside it that an import or a call executes."""
    is_script = isinstance(statement, ast.If) and is_script_guard(statement.test)
    yield statement
    if isinstance(statement, _DEFINITIONS):
        return
    for block in _BLOCKS[is_script:]:
        for inner in getattr(statement, block, None) or ():
            yield from _effective(inner)
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        for inner in part.body:
            yield from _effective(inner)


def _registers(decorator: ast.expr) -> bool:
    """Whether a decorator hands the definition to somebody else, as far as its name tells."""
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(call, ast.Attribute) and call.attr.startswith("register")
