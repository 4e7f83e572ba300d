"""Modules that a run imported beyond its manifest, and what they import: by syntax alone, nothing is executed."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from pathlib import Path

import xxhash
from msgspec.structs import replace

from pivot.code.graph.manifest import Entry, Manifest
from pivot.code.graph.nodes import Node, SourcePlace
from pivot.code.importing.project_files import ProjectFiles
from pivot.code.lookup.modules import decode
from pivot.code.syntax.normalise import statement_syntax
from pivot.code.syntax.references import imported_names
from pivot.state.records import IMPORTED


def beyond(manifest: Manifest, modules: Iterable[str]) -> list[str]:
    """Of the repository-relative files that a run imported, those of which the manifest has no entry."""
    covered = {entry.file for entry in manifest.entries} | set(manifest.passing)
    return sorted(set(modules) - covered)


def extend(manifest: Manifest, root: Path, modules: Iterable[str]) -> Manifest:
    """The manifest with an entry for each of these files and for every project module that they import.

    A file that is gone has an entry that says so.
    """
    files = _closure(ProjectFiles(root), sorted(set(modules)))
    entries = list(manifest.entries)
    first = entries[0]
    edges = list(first.edges)
    for file, (digest, source) in files.items():
        edges.append((f"{IMPORTED}{file}", len(entries)))
        entries.append(Entry(f"module:{file}", digest, file, 1, (), source))
    entries[0] = replace(first, edges=tuple(edges))
    return Manifest(tuple(entries), manifest.remarks, manifest.passing)


def _closure(place: ProjectFiles, start: list[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    # Of `late.py` and `late/__init__.py` Python takes the second.
    todo = [one for file in start for one in (file, file.removesuffix(".py") + "/__init__.py")]
    todo = [one for one in todo if one in start or place.locate(one).is_file()]
    for file in todo:
        if file in found:
            continue
        path = place.locate(file)
        if not path.is_file():
            found[file] = (_digest(["missing"]), "")
            continue
        data = path.read_bytes()
        tree, source = _parse(data, file)
        # No Python is known by its bytes: as text, two compiled modules may look the same.
        found[file] = (_digest(_tokens(tree)) if tree else xxhash.xxh3_128_hexdigest(data), source)
        if tree is not None:
            todo.extend(_imports(tree, file, place.root))
    return dict(sorted(found.items()))


def _tokens(tree: ast.Module) -> list[str]:
    syntax = statement_syntax(tree.body)
    return [*syntax.tokens, *(f"{ref} {ref.origins}" for ref in syntax.refs)]


def _digest(tokens: list[str]) -> str:
    node = Node("", "", SourcePlace("", 0))
    node.tokens = tokens
    return node.digest


def _parse(data: bytes, file: str) -> tuple[ast.Module | None, str]:
    try:
        return ast.parse(data, file), decode(data)
    except (SyntaxError, ValueError):
        return None, ""


def _imports(tree: ast.Module, file: str, root: Path) -> list[str]:
    """The project files that a module imports, looked for from the repository root and its own folder."""
    folder = Path(file).parent
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for _, origin in imported_names(node):
            for base in _bases(folder, origin.level):
                found += _files(root, base, origin.module, origin.attr)
    return found


def _bases(folder: Path, level: int) -> list[Path]:
    if level:
        return [folder.joinpath(*[".."] * (level - 1))]
    return list(dict.fromkeys([folder, *folder.parents]))


def _files(root: Path, base: Path, module: str, attr: str | None) -> list[str]:
    """The files that hold `base/module` and `base/module/attr`, packages on the way included."""
    parts = [part for part in module.split(".") if part] + ([attr] if attr and attr != "*" else [])
    found = []
    for end in range(1, len(parts) + 1):
        stem = base.joinpath(*parts[:end])
        for file in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
            if (root / file).is_file():
                found.append(Path(os.path.normpath(file)).as_posix())
    return found
