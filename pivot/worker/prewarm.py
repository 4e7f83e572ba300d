"""A code server that is ready before there is code for it: libraries are imported, and nothing of the project's.

What a library does must not depend on its being early. Where it could (the project sets environment variables or adds
folders outside while it is imported, or has a file of a name that a library looked for), nothing is imported early.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from pivot.code.importing.project_files import ProjectFiles
from pivot.code.importing.source_importer import Witness
from pivot.worker.protocol import Preload, Setup


class Baseline:
    """This process before anything of the project or for it is imported."""

    def __init__(self) -> None:
        self._modules = frozenset(sys.modules)
        self._path = frozenset(sys.path)
        self._environment = dict(os.environ)

    def warmth(self, files: ProjectFiles) -> Preload:
        """What the import of the project has brought and another process may have early."""
        folders = [path for path in sys.path if path not in self._path]
        if dict(os.environ) != self._environment or not all(files.owns(f"{folder}/.") for folder in folders):
            return Preload()
        fresh = [(name, module) for name, module in list(sys.modules.items()) if name not in self._modules]
        return Preload(tuple(name for name, module in fresh if _is_library(module, files)), tuple(folders))


def warm_up(names: Iterable[str]) -> Witness:
    """Import libraries; the names that were looked for are known to the witness, which stays."""
    witness = Witness()
    sys.meta_path.insert(0, witness)
    for name in names:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)
    return witness


def is_shadowed(witness: Witness, setup: Setup) -> bool:
    """Whether the project has a module of a name that was looked for: a library could have found that one."""
    wanted = {name for name in witness.names if "." not in name}
    folders = {setup.root, str(Path(setup.root, setup.file).parent), *setup.warm.folders}
    return any(name in wanted for folder in folders for name in _modules_in(folder))


def libraries_stamp() -> tuple[int, ...]:
    """Changes when a distribution is installed or removed."""
    folders = [Path(path) for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return tuple(folder.stat().st_mtime_ns for folder in folders if folder.is_dir())


def _is_library(module: ModuleType, files: ProjectFiles) -> bool:
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return not files.owns(file)
    return False  # built in, a namespace, or made by a library itself: it comes with the others


def _modules_in(folder: str) -> Sequence[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return ()
    return [
        entry.name.partition(".")[0]
        for entry in entries
        if entry.name.endswith((".py", ".so", ".pyd")) or Path(entry.path, "__init__.py").is_file()
    ]
