"""Which installed distributions the project's modules import, with versions.

`importlib.metadata` would parse the metadata of every distribution (150 ms for 40 of them); the names of the
`.dist-info` folders and, where those do not say it, the lists of files are enough.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

from pivot.code.importing.source_importer import ModuleSource


def imported_packages(sources: Iterable[ModuleSource]) -> dict[str, str]:
    """Distribution -> version, for all that these modules import at any level."""
    known = list(sources)
    own = {source.name.partition(".")[0] for source in known} | {"pivot"}
    tops = {name.partition(".")[0] for source in known for name in top_imports(source)}
    wanted = tops - sys.stdlib_module_names - own
    if not wanted:
        return {}
    found = (_distribution(top) for top in sorted(wanted))
    return dict(sorted(one for one in found if one))


def top_imports(source: ModuleSource) -> set[str]:
    """The full names that a module imports at its top level."""
    names: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module)
    return names


def _distribution(top: str) -> tuple[str, str] | None:
    module = sys.modules.get(top)
    file = getattr(module, "__file__", None)
    places = list(getattr(module, "__path__", None) or ([file] if file else []))
    for place in places:
        folders = sorted(Path(place).parent.glob("*.dist-info"))
        by_name = [
            one for one in folders if _normal(one.name.removesuffix(".dist-info").rpartition("-")[0]) == _normal(top)
        ]
        for folder in by_name or [one for one in folders if _holds(one, top)]:
            name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
            return name, version
    return None


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _holds(folder: Path, top: str) -> bool:
    """Whether a distribution installed the top-level module."""
    try:
        listed = (folder / "RECORD").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return f"\n{top}/__init__.py," in "\n" + listed or f"\n{top}.py," in "\n" + listed
