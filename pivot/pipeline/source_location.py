"""Lines of the user's code: who called Pivot, and where a parameter or a key of a return type is annotated.

A line is looked up when it is asked for, since most are never shown. It is found in the text of a definition's head,
not by parsing the module: the analysis has parsed it already, and on Python 3.11 and 3.12 `inspect` would parse it
again for every class.
"""

from __future__ import annotations

import bisect
import inspect
import os
import re
import sys
import tokenize
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec import Struct

from pivot.pipeline.spec import Location

_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # noqa: PTH100, PTH120
_EVALUATORS = frozenset({"annotationlib", "dataclasses", "functools", "typing"})
_HEADS = re.compile(r"^[ \t]*(?:async[ \t]+)?(def|class)[ \t]+(\w+)")


class SourceLine(Struct, frozen=True):
    """A line of the user's code; `find` gives None where there is no file (an interactive session).

    `said` is what an error names instead, for what stands in no file, such as an option of the command.
    """

    find: Callable[[], Location | None]
    said: str = ""

    @property
    def text(self) -> str | None:
        """`file:line` for an error: relative to the repository, else to the current folder, else absolute."""
        if self.said:
            return self.said
        found = self.find()
        return shown(found) if found else None


class _SourceFile(Struct, frozen=True):
    """A file's lines, and where its definitions start."""

    lines: tuple[str, ...]
    heads: tuple[int, ...]
    classes: dict[str, int]

    def search(self, pattern: str, start: int) -> int | None:
        """The first line from `start` to the next definition that matches."""
        following = bisect.bisect_right(self.heads, start)
        end = self.heads[following] if following < len(self.heads) else len(self.lines) + 1
        compiled = re.compile(pattern)
        return next((number for number in range(start, end) if compiled.search(self.lines[number - 1])), None)


def known_line(location: Location) -> SourceLine:
    return SourceLine(lambda: location)


def said_line(text: str) -> SourceLine:
    """No line of a file, but an option or a variable."""
    return SourceLine(lambda: None, text)


NOWHERE = said_line("")


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


def calling_line() -> SourceLine:
    """The line of the user's code that called Pivot."""
    frame = calling_frame()
    location = Location(frame.f_code.co_filename, frame.f_lineno) if frame else None
    return SourceLine(lambda: location)


def function_line(function: Callable[..., Any]) -> SourceLine:
    """Where the function's `def` stands (not its decorators)."""
    return SourceLine(partial(_find_in_function, function, ""))


def parameter_line(function: Callable[..., Any], name: str) -> SourceLine:
    """Where a parameter stands in the head of its function."""
    return SourceLine(partial(_find_in_function, function, rf"(?:^|[(,])\s*\*{{0,2}}{re.escape(name)}\s*[:=,)]"))


def return_line(function: Callable[..., Any]) -> SourceLine:
    """Where the return type stands."""
    return SourceLine(partial(_find_in_function, function, r"->"))


def field_line(owner: type, name: str, otherwise: SourceLine | None = None) -> SourceLine:
    """Where a class, or one that it extends, annotates a field; `otherwise` where the class has no source."""
    return SourceLine(partial(_find_field, owner, name, otherwise))


def _find_in_function(function: Callable[..., Any], pattern: str) -> Location:
    plain: Any = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    code = plain.__code__
    source = _source(code.co_filename)
    # A decorated function's code starts at its first decorator, which may itself hold a lambda but no `def`.
    following = bisect.bisect_left(source.heads, code.co_firstlineno)
    start = source.heads[following] if following < len(source.heads) else code.co_firstlineno
    return Location(code.co_filename, (source.search(pattern, start) if pattern else start) or start)


def _find_field(owner: type, name: str, otherwise: SourceLine | None) -> Location | None:
    found = [location for base in _bases(owner) if (location := _find_in_class(base, name))]
    of_class = found[0][0] if found else otherwise.find() if otherwise else None
    return next((location for location, holds in found if holds), of_class)


def _bases(owner: Any) -> list[Any]:
    """A class and all that it extends; a TypedDict keeps its bases only in `__orig_bases__`."""
    bases = getattr(owner, "__orig_bases__", ())
    return [*getattr(owner, "__mro__", ()), *(above for base in bases for above in _bases(base))]


def _find_in_class(owner: Any, name: str) -> tuple[Location, bool] | None:
    """The field's line; else the class's, and False."""
    file = getattr(sys.modules.get(getattr(owner, "__module__", "")), "__file__", None)
    if file is None or file.startswith(_OWN_FOLDER):
        return None
    source = _source(file)
    # `__firstlineno__` is new in Python 3.13; before, the last class of that name is taken.
    start = vars(owner).get("__firstlineno__") or source.classes.get(owner.__name__)
    if not isinstance(start, int):
        return None
    line = source.search(rf"(?:^|[;:])\s*{re.escape(name)}\s*:", start)
    return Location(file, line or start), line is not None


def _source(file: str) -> _SourceFile:
    try:
        status = os.stat(file)  # noqa: PTH116 - one call per stage
    except OSError:
        return _SourceFile((), (), {})
    return _read_source(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read_source(file: str, _mtime: int, _size: int) -> _SourceFile:
    try:
        with tokenize.open(file) as text:
            lines = tuple(text)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return _SourceFile((), (), {})
    heads = [(number, found) for number, line in enumerate(lines, 1) if (found := _HEADS.match(line))]
    classes = {found[2]: number for number, found in heads if found[1] == "class"}
    return _SourceFile(lines, tuple(number for number, _ in heads), classes)


def relative_to(location: Location, root: Path) -> Location:
    """The location with a repository-relative path, or an absolute one where the file lies outside `root`."""
    return Location(_relative_file(location.file, str(root)), location.line)


@lru_cache(maxsize=256)
def _relative_file(file: str, root: str) -> str:
    path = real_path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def real_path(path: str | Path) -> Path:
    """The path with its folder resolved; a link in its last part stays, since it is the name that the user knows."""
    plain = Path(os.path.abspath(path))  # noqa: PTH100 - `Path.absolute` keeps `..`
    return Path(os.path.realpath(plain.parent), plain.name)


def shown(location: Location) -> str:
    """`file:line` as an error names it."""
    if not os.path.isabs(location.file):  # noqa: PTH117
        return str(location)
    root = repository_of(real_path(location.file).parent) or Path.cwd()
    return str(relative_to(location, root))


def repository_of(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that holds a `.git`."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)
