"""What the modules of a package import, read from their source: deferred and type-only imports included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Two dots at least: `pivot.store` is a setting as well as a folder.
MODULE_NAME = re.compile(r"pivot(\.[A-Za-z_]\w*){2,}\Z")


@dataclass(frozen=True, slots=True)
class Import:
    """`importer` imports `target`, both dotted module names, at `line` of the importer.

    `by_name`: it does not import it there and then, but holds its name as a string.
    """

    importer: str
    target: str
    line: int
    by_name: bool = False

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def module_name(package: Path, file: Path) -> str:
    parts = [package.name, *file.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_imports(sources: dict[str, str], packages: frozenset[str]) -> list[Import]:
    """Every import of every module; `sources` maps module names to source text.

    `packages` are those modules that are an `__init__`. A string that names a module of ours counts as an import of
    it: a lazy table reaches as far as an `import` statement does.
    """
    found: list[Import] = []
    for importer, text in sources.items():
        parent = importer if importer in packages else importer.rpartition(".")[0]
        for node in ast.walk(ast.parse(text, importer)):
            for target in _targets(node, parent, sources):
                found.append(Import(importer, target, getattr(node, "lineno", 0), isinstance(node, ast.Constant)))
    return found


def _targets(node: ast.AST, parent: str, modules: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(node, parent)
        for alias in node.names:
            submodule = f"{origin}.{alias.name}"
            yield submodule if submodule in modules else origin
    elif isinstance(node, ast.Constant) and _names_module(node.value, modules):
        yield str(node.value)


def _names_module(value: object, modules: dict[str, str]) -> bool:
    return isinstance(value, str) and bool(MODULE_NAME.match(value)) and value in modules


def _origin(node: ast.ImportFrom, parent: str) -> str:
    if not node.level:
        return node.module or ""
    base = parent.split(".")[: len(parent.split(".")) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def read_package(package: Path) -> tuple[dict[str, str], frozenset[str]]:
    """The sources of a package by module name, and which of them are an `__init__`."""
    files = sorted(package.rglob("*.py"))
    sources = {module_name(package, file): file.read_text(encoding="utf-8") for file in files}
    return sources, frozenset(module_name(package, file) for file in files if file.name == "__init__.py")
