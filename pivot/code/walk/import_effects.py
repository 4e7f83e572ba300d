"""What an import leaves behind outside the project's own names: settings, seeds, registrations, patches, variables.

A statement such as `random.seed(1)` or `decimal.getcontext().prec = 5` binds no name, and yet code that uses the
library meets its effect. It counts for whatever reaches a name of the same library.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cached_property
from types import FunctionType
from typing import Any

from pivot.code.lookup.definitions import find_function, is_script_guard
from pivot.code.lookup.modules import Module
from pivot.code.lookup.resolver import Resolver
from pivot.code.lookup.targets import External, LiveObject
from pivot.code.syntax.normalise import expression_syntax, statement_syntax
from pivot.code.syntax.references import chain_of
from pivot.code.walk.library_registries import Hung, LibraryRegistries

Act = tuple[Module, ast.stmt]

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
        self.registries = LibraryRegistries(resolver)

    def on(self, root: str) -> list[Act]:
        """What acts on the library whose top-level module is `root`, in the order of the imports."""
        return self._collected[0].get(root, [])

    def hanging(self, attribute: str) -> list[Act]:
        """What hangs an attribute on a class of a library and does nothing else to the library."""
        return self._collected[1].get(attribute, [])

    @cached_property
    def hung(self) -> dict[str, list[Any]]:
        """Attribute -> code of the project that classes of libraries hold under it, and that only its users meet."""
        found: dict[str, list[Any]] = {attribute: [] for attribute in self._collected[1]}
        for one in self.registries.hung:
            if not self.registries.names(one.root, one.attribute):
                found.setdefault(one.attribute, []).extend(one.code)
        return found

    def registered(self, root: str) -> list[Any]:
        """Code of the project that a library holds and may call, as far as no statement `on` it says so."""
        held = self.registries.registered(root)
        held += [code for one in self.registries.hung for code in one.code if one.root == root and self._meets(one)]
        if not held:
            return []
        said = {id(code) for act in self.on(root) for code in self._said(*act)}
        return list({id(code): code for code in held if id(code) not in said}.values())

    def _meets(self, one: Hung) -> bool:
        return self.registries.names(one.root, one.attribute)

    def _said(self, module: Module, statement: ast.stmt) -> Iterator[Any]:
        """The code that a statement defines or names."""
        for ref in statement_syntax([statement]).refs:
            yield from (
                one.value for one, _ in self._resolver.resolve(ref, (module, {})) if isinstance(one, LiveObject)
            )
        if isinstance(statement, _DEFINITIONS):
            held = [*self.registries.all_registered, *(code for one in self.registries.hung for code in one.code)]
            yield from (code for code in held if self._defines(module, statement, code))

    def _defines(self, module: Module, statement: ast.stmt, code: Any) -> bool:
        if type(code) is FunctionType:
            return self._resolver.modules.of_function(code) is module and find_function(code, module) is statement
        return bool(code.__module__ == module.name and code.__qualname__ == getattr(statement, "name", ""))

    @cached_property
    def _collected(self) -> tuple[dict[str, list[Act]], dict[str, list[Act]]]:
        by_root: dict[str, list[Act]] = {}
        by_attribute: dict[str, list[Act]] = {}
        imported = [module for module in self._resolver.modules.all() if module.live is not None]
        acts = [(module, one) for module in imported for one in module.source.tree.body if _may_act(one)]
        for module, statement in acts:
            roots = self._roots(module, statement)
            hung = self._hung_by(module, statement, roots) if roots else set()
            for name in hung:
                by_attribute.setdefault(name, []).append((module, statement))
            for name in roots if not hung else ():
                by_root.setdefault(name, []).append((module, statement))
        return by_root, by_attribute

    # --- attributes hung on classes of libraries

    def _hung_by(self, module: Module, statement: ast.stmt, roots: set[str]) -> set[str]:
        """The attributes that a statement hangs on classes, if it does no more and no library asks for them."""
        found = self._hangs(module, statement, roots)
        return set() if any(self.registries.names(*one) for one in found) else {attribute for _, attribute in found}

    def _hangs(self, module: Module, statement: ast.stmt, roots: set[str]) -> set[tuple[str, str]]:
        """Root of the library and attribute."""
        if isinstance(statement, _DEFINITIONS):
            here = [one for one in self.registries.hung if any(self._defines(module, statement, c) for c in one.code)]
            kept = any(
                self._defines(module, statement, code) for root in roots for code in self.registries.by_root(root)
            )
            return set() if kept else {(one.root, one.attribute) for one in here}
        if isinstance(statement, ast.For):
            each = [self._hangs(module, inner, roots) for inner in statement.body]
            return set().union(*each) if all(each) else set()
        return self._set_by(module, statement)

    def _set_by(self, module: Module, statement: ast.stmt) -> set[tuple[str, str]]:
        if isinstance(statement, ast.Assign):
            kinds = [
                (self._class_at(module, one.value), one.attr) if isinstance(one, ast.Attribute) else (None, "")
                for one in statement.targets
            ]
            found = {(_root_of(kind), name) for kind, name in kinds if kind is not None}
            return found if all(kind for kind, _ in kinds) else set()
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call):
            return set()
        if getattr(call.func, "id", "") != "setattr" or len(call.args) != 3:
            return self._registered_by(module, call)
        kind, name = self._class_at(module, call.args[0]), call.args[1]
        if kind is None:
            return set()
        if isinstance(name, ast.Constant):
            return {(_root_of(kind), str(name.value))}
        return {(one.root, one.attribute) for one in self.registries.hung if one.owner is kind}

    def _registered_by(self, module: Module, call: ast.Call) -> set[tuple[str, str]]:
        """What `lib.register_accessor("geo", Geo)` hangs on a class."""
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        refs = [ref for ref in map(chain_of, [call.func, *given]) if ref is not None]
        found = [one for ref in refs for one, rest in self._resolver.resolve(ref, (module, {})) if not rest]
        if not found or not isinstance(found[0], External):
            return set()
        codes = {
            id(one.value) for one in found if isinstance(one, LiveObject) and self._resolver.is_our_code(one.value)
        }
        return self._holders(lambda code: id(code) in codes, {found[0].path.partition(".")[0]})

    def _holders(self, is_it: Callable[[Any], bool], roots: set[str]) -> set[tuple[str, str]]:
        """Under which attributes of classes libraries hold some code; none if they hold it in another way as well."""
        if any(is_it(code) for root in roots for code in self.registries.by_root(root)):
            return set()
        return {(one.root, one.attribute) for one in self.registries.hung if any(map(is_it, one.code))}

    def _class_at(self, module: Module, expression: ast.expr) -> type | None:
        """The class outside the project that an expression names."""
        ref = chain_of(expression)
        for found, rest in self._resolver.resolve(ref, (module, {})) if ref else ():
            value = self._resolver.external_object(found.path) if isinstance(found, External) and not rest else None
            if issubclass(type(value), type):
                return value
        return None

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
                elif (
                    isinstance(found, LiveObject) and type(found.value) is FunctionType and id(found.value) not in seen
                ):
                    seen.add(id(found.value))
                    roots |= self._of_function(found.value, seen)
                elif isinstance(found, LiveObject):
                    roots |= self._holder(found)
        return roots

    def _holder(self, found: LiveObject) -> set[str]:
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


def _root_of(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]


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
