"""Import project modules from the very bytes that are digested.

Python's own `SourceFileLoader` trusts a `.pyc` whose time (in seconds) and size fit: after an edit within one second
and of equal size it runs the old code. Its `get_code` is replaced for project files, at the class, so that every way
to a module (a plain import, `spec_from_file_location`, an editable finder) passes here.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import sys
from io import open_code
from pathlib import Path
from types import CodeType
from typing import Any

from pivot.code.importing.bytecode_cache import Compiled
from pivot.code.importing.project_files import ProjectFiles


class ModuleSource:
    """A project module: its name, absolute path and bytes; the tree is parsed when first needed, once."""

    __slots__ = ("_tree", "data", "name", "path")

    def __init__(self, name: str, path: str, data: bytes) -> None:
        self.name = name
        self.path = path
        self.data = data
        self._tree: ast.Module | None = None

    @property
    def tree(self) -> ast.Module:
        if self._tree is None:
            self._tree = ast.parse(self.data, self.path)
        return self._tree

    def forget_tree(self) -> None:
        """A tree takes fifty times the bytes that it was made from."""
        self._tree = None


class Witness:
    """Stands first on `sys.meta_path`, finds nothing, and remembers every name that was looked for."""

    def __init__(self) -> None:
        self.names: dict[str, tuple[str, ...] | None] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        self.names[name] = tuple(map(str, path)) if path is not None else None


class SourceImporter:
    """The import system of one analysis; `modules` are by module name, `by_path` by absolute path."""

    def __init__(self, files: ProjectFiles, compiled: Compiled | None = None) -> None:
        self.files = files
        self.compiled = compiled or Compiled()
        self.modules: dict[str, ModuleSource] = {}
        self.by_path: dict[str, ModuleSource] = {}
        # One that stands there already has seen what libraries looked for before.
        self.witness = next((one for one in sys.meta_path if isinstance(one, Witness)), None) or Witness()
        self.variables_set: frozenset[str] = frozenset()  # environment variables that the import has set
        self._original: Any = None

    def install(self, import_paths: list[Path]) -> None:
        """Put `import_paths` in front of `sys.path` and take over the loading of project modules."""
        loader: Any = importlib.machinery.SourceFileLoader
        self._original = loader.get_code
        original = self._original
        importer = self

        def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
            path = str(self.path)
            if not importer.files.owns(path):
                found: CodeType | None = original(self, fullname)
                return found
            return importer.compile(fullname, path)

        loader.get_code = get_code
        if self.witness not in sys.meta_path:
            sys.meta_path.insert(0, self.witness)
        wanted = [str(path) for path in import_paths]
        for folder in wanted:
            _unload_shadowed(folder)
        sys.path[:] = wanted + [entry for entry in sys.path if entry not in wanted and entry != ""]

    def uninstall(self) -> None:
        """Hand loading back to Python; for tests that analyse in their own process."""
        if self._original is not None:
            loader: Any = importlib.machinery.SourceFileLoader
            loader.get_code = self._original
        if self.witness in sys.meta_path:
            sys.meta_path.remove(self.witness)

    def compile(self, name: str, path: str) -> CodeType:
        """Read `path` once, keep its bytes, and give the code of these."""
        with open_code(path) as stream:  # not pathlib: whoever watches opens sees here that it is code
            source = ModuleSource(name, path, stream.read())
        try:
            code = self.compiled.code(path, source.data)
        except (SyntaxError, ValueError) as error:
            if getattr(error, "filename", None):
                raise
            raise SyntaxError(f"{error} ({path})") from None  # of a null byte Python does not say where it stands
        self.modules[name] = source
        self.by_path[path] = source
        return code

    def source(self, name: str, path: str) -> ModuleSource:
        """The bytes of a project module that was not imported."""
        known = self.by_path.get(path)
        if known is None:
            known = self.by_path[path] = ModuleSource(name, path, Path(path).read_bytes())
        return known


# What Python itself has imported before any script runs: there the script's folder shadows nothing.
_STARTUP = {
    "abc", "builtins", "codecs", "encodings", "genericpath", "io", "os", "posixpath", "site", "stat", "sys", "time",
    "zipimport", "marshal", "posix", "linecache", "pivot", "__main__",
}  # fmt: skip


def _unload_shadowed(folder: str) -> None:
    """Forget modules that Pivot has imported and that a file of the project shadows, as it would under `python`."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        name = entry.name.removesuffix(".py")
        is_module = entry.name.endswith(".py") or Path(entry.path, "__init__.py").is_file()
        if name not in sys.modules or name in _STARTUP or not is_module:
            continue
        for loaded in [one for one in sys.modules if one == name or one.startswith(name + ".")]:
            del sys.modules[loaded]
