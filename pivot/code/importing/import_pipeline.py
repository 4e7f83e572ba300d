"""The import of a pipeline file, without harm to the process that asks for it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import os
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pivot.code.importing.missing_module import advise
from pivot.code.importing.project_files import PACKAGE
from pivot.code.importing.source_importer import SourceImporter
from pivot.errors import CodeError, PivotError
from pivot.pipeline.spec import PACKAGE_FILE


def import_paths(path: Path, root: Path) -> list[Path]:
    """Where modules are looked for first: beside the pipeline file, where its package is, and at the root."""
    top, _ = _package(path)
    beside = [] if path.name == PACKAGE_FILE else [path.parent]
    return list(dict.fromkeys([*beside, top, root]))


def import_file(path: Path, importer: SourceImporter) -> types.ModuleType:
    """Import the pipeline file under its natural name, never as `__main__`."""
    _, name = _package(path)
    try:
        if "." in name or path.name == PACKAGE_FILE:
            module = importlib.import_module(name)
            if module.__file__ == str(path):
                return module
        return _import_alone(path, importer)
    except PivotError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise CodeError(user_traceback(error), hint=advise(error, path.parent)) from None


def _import_alone(path: Path, importer: SourceImporter) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CodeError("this is no Python file", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    importer.witness.find_spec(path.stem)
    spec.loader.exec_module(module)
    return module


def _package(path: Path) -> tuple[Path, str]:
    """The folder that holds the top of the package which a file is in, and the file's name from there.

    Only folders with an `__init__.py` count: to be in a package, and to use `from . import`, is what it is for.
    """
    parts, folder = [path.stem], path.parent
    if path.name == PACKAGE_FILE:
        parts, folder = [folder.name], folder.parent
    while (folder / PACKAGE_FILE).is_file() and folder.name.isidentifier():
        parts.append(folder.name)
        folder = folder.parent
    return folder, ".".join(reversed(parts))


def user_traceback(error: BaseException) -> str:
    """The traceback of an import, without the frames of Pivot and of the import system."""
    told = traceback.TracebackException.from_exception(error, compact=True)
    todo: list[Any] = [told]
    while todo:
        one = todo.pop()
        if one is None:
            continue
        kept = [frame for frame in one.stack if not frame.filename.startswith((PACKAGE, "<frozen importlib"))]
        one.stack = traceback.StackSummary.from_list(kept)
        todo += [one.__cause__, one.__context__, *(one.exceptions or ())]
    text = "".join(told.format()).rstrip()
    if isinstance(error, SystemExit):
        text += "\nThe import calls sys.exit; a pipeline file only declares stages."
    return text


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What the import prints goes to stderr, whichever way it prints; there is nothing on its stdin."""
    sys.stdout.flush()
    saved = [os.dup(number) for number in (0, 1)]
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # the user may have closed or replaced it
            sys.stdout.flush()
        for number, copy in enumerate(saved):
            os.dup2(copy, number)
            os.close(copy)


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Syntax trees are many objects without garbage: collecting doubles the time of parsing (measured)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            # What stands now lives as long as the process; counting it again and again, in every fork, is for nothing.
            gc.freeze()
            gc.enable()
