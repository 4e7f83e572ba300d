"""Lines of the user's code: who called Pivot, and where a parameter or a key of a return type is annotated.

Lines are found in the text of a definition's head, not by parsing its module: the analysis has parsed it already, and
on Python 3.11 and 3.12 `inspect` would parse it again for every class.
"""

from __future__ import annotations

import inspect
import linecache
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from pivot.pipeline.spec import Location

_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # noqa: PTH100, PTH120
_EVALUATORS = frozenset({"annotationlib", "dataclasses", "functools", "typing"})


def calling_frame() -> FrameType | None:
    """The nearest frame outside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame and _is_own(frame):
        frame = frame.f_back
    return frame


def _is_own(frame: FrameType) -> bool:
    """Ours, or the standard library's that evaluates an annotation for us."""
    file = frame.f_code.co_filename
    return file.startswith((_OWN_FOLDER, "<")) or frame.f_globals.get("__name__") in _EVALUATORS


def calling_line() -> str | None:
    """`file:line` of the user's code that called Pivot, for an error."""
    frame = calling_frame()
    return shown(Location(frame.f_code.co_filename, frame.f_lineno)) if frame else None


def function_line(function: Callable[..., Any]) -> Location:
    """Where the function's `def` stands (not its decorators)."""
    code = inspect.unwrap(function).__code__
    first = code.co_firstlineno
    head = re.compile(rf"\s*(async\s+)?def\s+{re.escape(code.co_name)}\b")
    return Location(code.co_filename, _first_match(code.co_filename, first, head) or first)


def parameter_line(function: Callable[..., Any], name: str) -> Location:
    """Where a parameter stands in the head of its function."""
    start = function_line(function)
    pattern = re.compile(rf"(?:^|[(,])\s*\*{{0,2}}{re.escape(name)}\s*[:=,)]")
    return Location(start.file, _first_match(start.file, start.line, pattern) or start.line)


def return_line(function: Callable[..., Any]) -> Location:
    """Where the return type stands."""
    start = function_line(function)
    return Location(start.file, _first_match(start.file, start.line, re.compile(r"->")) or start.line)


def field_line(owner: type, name: str) -> Location | None:
    """Where a class annotates a field; None where the class has no source file."""
    file = getattr(sys.modules.get(owner.__module__), "__file__", None)
    if file is None:
        return None
    start = class_line(owner, file)
    pattern = re.compile(rf"\s+{re.escape(name)}\s*:")
    return Location(file, _first_match(file, start, pattern) or start)


def class_line(owner: type, file: str) -> int:
    known = vars(owner).get("__firstlineno__")  # Python 3.13
    if isinstance(known, int):
        return known
    return _first_match(file, 1, re.compile(rf"\s*class\s+{re.escape(owner.__name__)}\b")) or 1


def _first_match(file: str, start: int, pattern: re.Pattern[str]) -> int | None:
    lines = linecache.getlines(file)
    return next((number for number in range(start, len(lines) + 1) if pattern.search(lines[number - 1])), None)


def relative_to(location: Location, root: Path) -> Location:
    """The location with a repository-relative path, or an absolute one where the file lies outside `root`."""
    file = real_path(location.file)
    inside = file.is_relative_to(root)
    return Location(file.relative_to(root).as_posix() if inside else file.as_posix(), location.line)


def real_path(path: str | Path) -> Path:
    """The path with its folder resolved; a link in its last part stays, since it is the name that the user knows."""
    plain = Path(os.path.abspath(path))  # noqa: PTH100 - `Path.absolute` keeps `..`
    return Path(os.path.realpath(plain.parent), plain.name)


def shown(location: Location) -> str:
    """`file:line` for an error: relative to the repository, else to the current folder, else absolute."""
    file = real_path(location.file)
    root = repository_of(file.parent) or Path.cwd()
    return str(relative_to(location, root))


def repository_of(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that holds a `.git`."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)
