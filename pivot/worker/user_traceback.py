"""An exception of the user's code as text: the user's frames only, bounded, whatever the exception does when asked."""

from __future__ import annotations

import reprlib
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pivot.code.importing.missing_module import advise

_PACKAGE = str(Path(__file__).parent.parent) + "/"
_TEXT_LIMIT = 64 << 10
_LINE_LIMIT = 160
_FRAMES = 100  # at each end of a traceback; a million of them took a minute and a half to print


def format_exception(error: BaseException, root: str) -> str:
    """The traceback without Pivot's frames, paths below `root` relative to it; at most 64 Ki characters."""
    try:
        for one in _chain(error):
            _cut_frames(one)
        report = traceback.TracebackException.from_exception(error)
        _keep_user_frames(report)
        text = "".join(report.format())
        if advice := advise(error, Path.cwd()):
            text += f"  {advice}\n"
    except BaseException as trouble:  # `__str__` and friends are user code and may raise anything
        text = f"{type(error).__name__}: its traceback cannot be printed ({type(trouble).__name__})\n"
    return shorten(printable(text.replace(f'File "{root}/', 'File "')))


def name_exception(error: BaseException) -> str:
    """One line: type and message."""
    try:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    except BaseException:
        text = f"{type(error).__name__}: its message cannot be printed"
    return _one_line(text)


def describe_inputs(inputs: Mapping[str, Any]) -> list[str]:
    """One line for each input: name, type, and the beginning of its repr."""
    return [_one_line(f"{name}: {type(value).__name__} = {_short_repr(value)}") for name, value in inputs.items()]


def printable(text: str) -> str:
    """Text that can be encoded: lone surrogates are shown as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def shorten(text: str, limit: int = _TEXT_LIMIT) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def has_user_frames(error: BaseException, root: str) -> bool:
    """Whether code of the project, and not only of libraries, was on the way to where this was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(one.filename.startswith(f"{root}/") and "/site-packages/" not in one.filename for one in frames)


def _chain(error: BaseException) -> list[BaseException]:
    """The exception, what caused it and what it was raised during, each once."""
    pending = [error]
    found: list[BaseException] = []
    while pending:
        one = pending.pop()
        if not any(one is known for known in found):
            found.append(one)
            parts = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
            pending += [part for part in (one.__cause__, one.__context__, *parts) if part is not None]
    return found


def _cut_frames(error: BaseException) -> None:
    """Leave the first and the last frames of a traceback; what lies between says the same again and again."""
    frames = []
    at = error.__traceback__
    while at is not None:
        frames.append(at)
        at = at.tb_next
    if len(frames) > 2 * _FRAMES:
        frames[_FRAMES - 1].tb_next = frames[-_FRAMES]


def _keep_user_frames(report: traceback.TracebackException) -> None:
    pending, seen = [report], set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if not _is_ours(frame.filename)])
        pending += [one for one in (part.__cause__, part.__context__, *(part.exceptions or ())) if one is not None]


def _is_ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, "<frozen importlib"))


def _short_repr(value: Any) -> str:
    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = _LINE_LIMIT
    try:
        return shortener.repr(value)
    except BaseException as error:
        return f"<its repr raised {type(error).__name__}>"


def _one_line(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= _LINE_LIMIT else f"{line[: _LINE_LIMIT - 3]}..."
