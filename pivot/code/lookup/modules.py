"""Modules as name spaces: what a name at module level is bound to, live or, without an import, by syntax."""

from __future__ import annotations

import ast
import io
import os
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from msgspec import Struct

from pivot.code.importing.source_importer import ModuleSource, SourceImporter
from pivot.code.syntax.references import Import, Ref, chain_of, imported_names, is_type_checking

EXTENSIONS = (".so", ".pyd", ".pyc")
_BLOCKS = ("body", "orelse", "finalbody")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = frozenset(
    (
        *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match),
        *(ast.ExceptHandler, ast.match_case),
    )
)


class Binding(Struct, frozen=True):
    """One place where a module binds a name: the statement, and what is imported if it is an import."""

    node: ast.stmt
    origin: Import | None = None


class Module:
    """A project module; `live` is its name space when it has been imported, else None."""

    def __init__(self, source: ModuleSource, live: dict[str, Any] | None) -> None:
        self.source = source
        self.name = source.name
        self.path = source.path
        self.live = live
        self._bindings: dict[str, list[Binding]] | None = None
        self._definitions: dict[int, list[tuple[str, ast.AST]]] | None = None
        self._lambdas: dict[int, list[ast.Lambda]] | None = None
        self._lines: list[str] | None = None
        self.stars: list[Import] = []

    @property
    def is_package(self) -> bool:
        return Path(self.path).name.startswith("__init__.")

    @property
    def bindings(self) -> dict[str, list[Binding]]:
        """Name -> the statements at module level that bind it, in order of the source."""
        if self._bindings is None:
            self._bindings = {}
            for statement in _statements(self.source.tree.body):
                self._bind(statement)
        return self._bindings

    def _bind(self, statement: ast.stmt) -> None:
        table = self._bindings
        assert table is not None
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name, origin in imported_names(statement):
                if name == "*":
                    self.stars.append(origin)
                table.setdefault(name, []).append(Binding(statement, origin))
        elif isinstance(statement, _DEFINITIONS):
            table.setdefault(statement.name, []).append(Binding(statement))
        else:
            for name in _assigned(statement):
                table.setdefault(name, []).append(Binding(statement))

    def attributes_set(self) -> list[Ref]:
        """What the module assigns to at its top level that is an attribute of something: `json.dumps = mine`."""
        found = []
        for statement in _statements(self.source.tree.body) if self.live is not None else ():
            for target in statement.targets if isinstance(statement, ast.Assign) else ():
                ref = chain_of(target) if isinstance(target, ast.Attribute) else None
                if ref is not None:
                    found.append(ref)
        return found

    @property
    def definitions(self) -> dict[int, list[tuple[str, ast.AST]]]:
        """First line (of the first decorator, as a code object tells it) -> definitions there with qualified names."""
        if self._definitions is None:
            self._definitions = {}
            _index(self.source.tree, "", self._definitions)
        return self._definitions

    @property
    def lambdas(self) -> dict[int, list[ast.Lambda]]:
        """Line -> the lambdas that start there."""
        if self._lambdas is None:
            self._lambdas = {}
            for node in ast.walk(self.source.tree):
                if isinstance(node, ast.Lambda):
                    self._lambdas.setdefault(node.lineno, []).append(node)
        return self._lambdas

    def lines(self, first: int, last: int) -> str:
        """The source text of some lines, both ends included, 1-based."""
        if self._lines is None:
            self._lines = decode(self.source.data).splitlines(keepends=True)
        return "".join(self._lines[first - 1 : last])

    def class_nodes(self, qualname: str) -> list[ast.ClassDef]:
        """Definitions of a class by qualified name, in order of the source."""
        found = [
            node
            for entries in self.definitions.values()
            for name, node in entries
            if name == qualname and isinstance(node, ast.ClassDef)
        ]
        return sorted(found, key=lambda node: node.lineno)


class Modules:
    """All project modules of one analysis, by name and by path."""

    def __init__(self, importer: SourceImporter) -> None:
        self.importer = importer
        self.files = importer.files
        self.looked_up: set[str] = set()
        self.binaries: set[str] = set()  # compiled files whose bytes count
        self._by_name: dict[str, Module | None] = {}
        self._by_path: dict[str, Module] = {}

    def all(self) -> list[Module]:
        """Every project module whose source has been read."""
        return [self._view(source) for source in list(self.importer.by_path.values())]

    def by_name(self, name: str) -> Module | None:
        """The project module of this name, imported or not; None when the project has none."""
        if name not in self._by_name:
            self._by_name[name] = self._find(name)
        return self._by_name[name]

    def by_path(self, path: str) -> Module | None:
        """The project module that was compiled from `path`."""
        source = self.importer.by_path.get(path)
        return self._view(source) if source else None

    def of_function(self, function: FunctionType) -> Module | None:
        """The module that a function was compiled from; a project file may have been executed without an import."""
        path = function.__code__.co_filename
        known = self.by_path(path)
        if known is None and self.files.owns(path) and os.path.isfile(path):  # noqa: PTH113
            known = self._view(self.importer.source(str(function.__globals__.get("__name__")), path))
        if known is not None and known.live is None:
            known.live = function.__globals__
        return known

    def _view(self, source: ModuleSource) -> Module:
        known = self._by_path.get(source.path)
        if known is None:
            module = sys.modules.get(source.name)
            held = vars(module) if module is not None and issubclass(type(module), ModuleType) else {}
            fitting = held.get("__file__") == source.path
            known = self._by_path[source.path] = Module(source, held if fitting else None)
        return known

    def of_live(self, module: ModuleType) -> Module | None:
        """The view of an imported module, if it is one of the project's."""
        held = vars(module) if issubclass(type(module), ModuleType) else {}
        path = held.get("__file__")
        view = self.by_path(path) if isinstance(path, str) else None
        if view is not None and view.live is None:
            view.live = vars(module)
        return view

    def defining(self, name: str) -> Module | None:
        """The project module that calls itself `name`, as the classes and functions in it do."""
        live = sys.modules.get(name)
        if live is not None and issubclass(type(live), ModuleType):
            return self.of_live(live)
        source = self.importer.modules.get(name)  # it may have put another object in its own place
        return self._view(source) if source else None

    def _find(self, name: str) -> Module | None:
        live = sys.modules.get(name)
        if live is not None:
            return self.of_live(live)
        path = self.find_file(name)
        if path is None or not path.endswith(".py"):
            return None
        return self._view(self.importer.source(name, path))

    def find_file(self, name: str) -> str | None:
        """Where an import of `name` would find a project file, without importing anything; a folder for a namespace."""
        self.looked_up.add(name)
        parent, _, last = name.rpartition(".")
        folders = self._folders(parent) if parent else [entry or os.getcwd() for entry in sys.path]  # noqa: PTH109
        for folder in folders:
            found = _candidate(folder, last)
            if found is not None:
                return found if self.files.owns(found) else None
        return None

    def _folders(self, package: str) -> list[str]:
        live = sys.modules.get(package)
        if live is not None:
            return [str(entry) for entry in getattr(live, "__path__", ())]
        found = self.find_file(package)
        if found is None:
            return []
        return [str(Path(found).parent) if found.endswith(".py") else found]

    def absolute(self, origin: Import, module: Module) -> str:
        """The full name of the module that an import in `module` names."""
        if not origin.level:
            return origin.module
        package = module.name if module.is_package else module.name.rpartition(".")[0]
        for _ in range(origin.level - 1):
            package = package.rpartition(".")[0]
        return f"{package}.{origin.module}".strip(".")


def decode(data: bytes) -> str:
    """Source bytes as Python reads them: by their encoding header, with `\\n` at the end of lines."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    # in a comment Python 3.11 lets any byte pass
    return io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", line_buffering=True).read()


def _candidate(folder: str, last: str) -> str | None:
    base = os.path.join(folder, last)  # noqa: PTH118
    init = os.path.join(base, "__init__.py")  # noqa: PTH118
    if os.path.isfile(init):  # noqa: PTH113
        return init
    if os.path.isfile(base + ".py"):  # noqa: PTH113
        return base + ".py"
    if not os.path.isdir(folder):  # noqa: PTH112
        return None
    for extension in extension_files(folder, last):
        return extension
    return base if os.path.isdir(base) else None  # noqa: PTH112


def extension_files(folder: str, last: str) -> list[str]:
    """Compiled modules of this name in a folder."""
    names = [entry for entry in os.listdir(folder) if entry.startswith(last + ".") and entry.endswith(EXTENSIONS)]  # noqa: PTH208
    return [os.path.join(folder, entry) for entry in sorted(names)]  # noqa: PTH118


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run at module level, those inside `if`, `try`, `with` and loops included."""
    for statement in body:
        yield statement
        if isinstance(statement, _DEFINITIONS):
            continue
        if isinstance(statement, ast.If) and is_type_checking(statement.test):
            yield from _statements(statement.orelse)
            continue
        for block in _BLOCKS:
            yield from _statements(getattr(statement, block, None) or [])
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _statements(part.body)


def _assigned(statement: ast.stmt) -> Iterator[str]:
    """Names that this statement itself binds, not those of the statements inside it."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        for child in ast.iter_child_nodes(node):
            if not isinstance(
                child, ast.stmt | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
            ):
                todo.append(child)
    if type(statement).__name__ == "TypeAlias":  # new in 3.12
        yield statement.name.id  # type: ignore[attr-defined]


def _index(node: ast.AST, prefix: str, table: dict[int, list[tuple[str, ast.AST]]]) -> None:
    """Note the definitions inside a block; expressions hold none."""
    for field in (*_BLOCKS, "handlers", "cases"):
        for child in getattr(node, field, ()):
            kind = type(child)
            if kind in _DEFINITIONS:
                line = min([child.lineno, *[decorator.lineno for decorator in child.decorator_list]])
                qualname = prefix + child.name
                table.setdefault(line, []).append((qualname, child))
                _index(child, qualname + ("." if kind is ast.ClassDef else ".<locals>."), table)
            elif kind in _COMPOUND:
                _index(child, prefix, table)
