"""What libraries hold of the project after its import: methods hung on their classes, entries of their registries."""

from __future__ import annotations

import ast
import re
import sys
import types
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from pivot.code.lookup.definitions import find_function
from pivot.code.lookup.held_code import held_code, shared_objects
from pivot.code.lookup.modules import Module
from pivot.code.lookup.resolver import Resolver
from pivot.code.lookup.targets import External, LiveObject
from pivot.code.syntax.references import chain_of

_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: only on these can something be hung
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# To call these hands nothing to a library. A class of theirs may be extended, and nothing is hung on it then.
_QUIET = frozenset(sys.stdlib_module_names) | {"pivot"}
# What nothing of a project can be in, most of what a library has at module level.
_DULL = frozenset((str, bytes, int, float, bool, type(None), types.BuiltinFunctionType, types.ModuleType, frozenset))
_CLASS_DULL = frozenset((
    *(*_DULL, types.WrapperDescriptorType, types.MethodDescriptorType),
    *(types.GetSetDescriptorType, types.MemberDescriptorType, types.ClassMethodDescriptorType, types.GenericAlias),
))  # fmt: skip


# Names of types that compilers and the import system make.
_COMPILED = {
    *("cython_function_or_method", "fused_cython_function", "_ArrayFunctionDispatcher", "ufunc", "PyCapsule"),
    *("_abc_data", "_tuplegetter", "ModuleSpec", "SourceFileLoader", "ExtensionFileLoader", "CField"),
}


class Hung(Struct, frozen=True, eq=False):
    """An attribute of a library's class that holds code of the project."""

    root: str
    owner: type
    attribute: str
    code: tuple[Any, ...]


class LibraryRegistries:
    """Looks through the loaded libraries once, if anything at module level hands code of the project to one."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._sources: dict[str, list[bytes]] = {}

    @cached_property
    def hung(self) -> list[Hung]:
        return self._found[0]

    @property
    def all_registered(self) -> list[Any]:
        return [code for held in self._found[1].values() for code in held]

    def by_root(self, root: str) -> list[Any]:
        """Code of the project that module-level objects of one library hold."""
        return self._found[1].get(root, [])

    def registered(self, root: str) -> list[Any]:
        """Code of the project that module-level objects hold, of the library `root` and of those that it imports."""
        by_root = self._found[1]
        if not by_root:
            return []
        return [code for one in sorted(self._imports(root)) for code in by_root.get(one, ())]

    def names(self, root: str, attribute: str) -> bool:
        """Whether a library's own code may ask for an attribute, so that its being hung there changes the library."""
        if attribute.startswith("_"):
            return True
        if root not in self._sources:
            modules = self._libraries.get(root, {})
            files = {str(getattr(module, "__file__", None)) for module in modules.values()}
            self._sources[root] = [Path(file).read_bytes() for file in sorted(files) if file.endswith(".py")]
        word = attribute.encode()
        asked = re.compile(rb"^(?!\s*(?:from|import)\s).*(?:\.|def |[\"'])" + re.escape(word) + rb"\b", re.MULTILINE)
        return any(word in text and asked.search(text) for text in self._sources[root])

    # --- the look

    @cached_property
    def _found(self) -> tuple[list[Hung], dict[str, list[Any]]]:
        hung: list[Hung] = []
        registered: dict[str, list[Any]] = {}
        if not self._hands_over():
            return hung, registered
        libraries = self._libraries
        shared = shared_objects(lambda name: name.partition(".")[0] in libraries)
        is_ours = self._resolver.code_test()

        def held(name: str, value: Any) -> list[Any]:
            if is_ours(value):
                return [value]
            return held_code(value, is_ours, shared) if _may_hold(name, value) else []

        seen: set[int] = set()
        for root, modules in sorted(libraries.items()):
            standard = root in sys.stdlib_module_names
            for value in (one for module in modules.values() for one in list(vars(module).values())):
                kind = type(value)
                if kind in _DULL or id(value) in seen:
                    continue
                seen.add(id(value))
                if issubclass(kind, type):
                    hung += _of_class(value, root, held)
                elif not standard and (code := held("", value)):
                    registered.setdefault(root, []).extend(code)
        hung = [one for one in hung if not is_ours(one.owner)]
        return sorted(hung, key=lambda one: (one.root, one.attribute)), registered

    @cached_property
    def _libraries(self) -> dict[str, dict[str, types.ModuleType]]:
        """The loaded modules outside the project, by the name of their top-level package."""
        found: dict[str, dict[str, types.ModuleType]] = {}
        for name, module in list(sys.modules.items()):
            root = name.partition(".")[0]
            if root in ("pivot", "__main__", "__mp_main__", "builtins") or not issubclass(
                type(module), types.ModuleType
            ):
                continue
            if self._resolver.modules.of_live(module) is None:
                found.setdefault(root, {})[name] = module
        return found

    def _imports(self, root: str) -> set[str]:
        """A library and those that its modules import, and so on."""
        found, todo = {root}, [root]
        while todo:
            fresh = self._imported_by(todo.pop()) - found
            found |= fresh
            todo += fresh
        return found

    def _imported_by(self, root: str) -> set[str]:
        libraries = self._libraries
        held = {id(one): one for module in libraries.get(root, {}).values() for one in list(vars(module).values())}
        return {_home(one).partition(".")[0] for one in held.values()} & libraries.keys()

    # --- whether there is anything to look for

    def _hands_over(self) -> bool:
        """Whether an imported module decorates with, calls or extends what may hand its code to a library."""
        seen: set[int] = set()
        return any(
            self._may_register(module, expression, seen)
            for module in self._resolver.modules.all()
            if module.live is not None
            for statement in module.source.tree.body
            for expression in _asked(statement)
        )

    def _may_register(self, module: Module, expression: ast.expr, seen: set[int]) -> bool:
        ref = chain_of(expression)
        for found, _ in self._resolver.resolve(ref, (module, {})) if ref else ():
            if isinstance(found, External):
                if found.path.partition(".")[0] not in _QUIET or found.path == "builtins.setattr":
                    return True
            elif isinstance(found, LiveObject) and self._code_registers(found.value, seen):
                return True
        return False

    def _code_registers(self, code: Any, seen: set[int]) -> bool:
        """Whether a function or class of the project may hand on what it is given, as a decorator of its own does."""
        if not issubclass(type(code), type | types.FunctionType) or id(code) in seen:
            return False
        seen.add(id(code))
        function = issubclass(type(code), types.FunctionType)
        home = self._resolver.modules.of_function(code) if function else self._defining(code)
        if home is None:
            return False
        trees: list[ast.AST] = [*home.class_nodes(code.__qualname__)] if not function else []
        tree = find_function(code, home) if function else None
        parts = (part for one in (trees if tree is None else [tree]) for part in ast.walk(one))
        return any(self._may_register(home, one, seen) for part in parts for one in _asked_inside(part))

    def _defining(self, kind: type) -> Module | None:
        return self._resolver.modules.defining(str(vars(kind).get("__module__")))


def _of_class(kind: type, root: str, held: Callable[[str, Any], list[Any]]) -> list[Hung]:
    if not kind.__flags__ & _HEAP:
        return []
    home = str(kind.__dict__.get("__module__")).partition(".")[0] or root
    found = ((name, held(name, one)) for name, one in list(kind.__dict__.items()) if type(one) not in _CLASS_DULL)
    return [Hung(home, kind, name, tuple(code)) for name, code in found if code]


def _may_hold(name: str, value: Any) -> bool:
    """Whether a thing of a library can hold anything: thousands of its functions cannot."""
    kind = type(value)
    if kind is types.FunctionType:
        return bool("<locals>" in value.__code__.co_qualname or value.__dict__)
    return kind.__name__ not in _COMPILED and not (kind in (dict, tuple) and name.startswith("__"))


def _home(value: Any) -> str:
    kind = type(value)
    if kind is types.ModuleType:
        return str(value.__name__)
    return str(value.__module__) if kind is types.FunctionType or issubclass(kind, type) else ""


def _asked(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement at module level hands something to: decorators, bases, called functions, assigned attributes."""
    if isinstance(statement, _DEFINITIONS):
        for decorator in statement.decorator_list:
            yield decorator.func if isinstance(decorator, ast.Call) else decorator
        yield from getattr(statement, "bases", ())
    elif not isinstance(statement, ast.Import | ast.ImportFrom):
        for part in ast.walk(statement):
            yield from _asked_inside(part)


def _asked_inside(part: ast.AST) -> Iterator[ast.expr]:
    if isinstance(part, ast.Call):
        yield part.func
        if isinstance(part.func, ast.Name):  # `setattr(library, ...)`, `patch(library)`
            yield from (one for one in part.args if isinstance(one, ast.Name | ast.Attribute))
    elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
        yield part.value
