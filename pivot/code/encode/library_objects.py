"""How loggers, their handlers and open files are written: by what somebody has set in them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

from pivot.code.encode.instances import Instances
from pivot.code.evidence import digest_of_file

_FILES = (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO)
# Where a handler writes is no matter of what the code computes, and the name of a log may hold the time.
_HANDLER_SKIPPED = {"lock", "level", "filters", "formatter", "stream", "baseFilename", "_name", "_closed"}


def write_service(encoder: Instances, value: Any) -> bool:
    """A logger, handler or formatter, of the standard library or made from it, or an open file."""
    if issubclass(type(value), _FILES):
        _file(encoder, value)
        return True
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return False
    for kind, write in ((logging.Logger, _logger), (logging.Handler, _handler), (logging.Formatter, _formatter)):
        if issubclass(type(value), kind):
            write(encoder, value)
            return True
    return False


def _logger(encoder: Instances, value: Any) -> None:
    """What decides whether and how a message of a logger is written; its name is for display."""
    _class(encoder, value, "Logger")
    encoder.node.text(f"disabled {value.manager.disable}")
    one = value
    while one is not None:
        # As text: a level that is a number nowhere in the sources is no reason to import these twice.
        encoder.node.text(f"logger {one.level} {one.disabled} {one.propagate}")
        encoder.items("filters", one.filters)
        encoder.items("handlers", one.handlers)
        one = one.parent


def _handler(encoder: Instances, value: Any) -> None:
    _class(encoder, value, "Handler")
    encoder.node.text(f"level {value.level}")
    encoder.items("filters", value.filters)
    encoder.encode(value.formatter)
    held = {name: item for name, item in vars(value).items() if name not in _HANDLER_SKIPPED}
    if not encoder.walker.owns_class(type(value)):
        held = {name: item for name, item in held.items() if name == "target"}
    for name in sorted(held):
        encoder.node.text(name)
        encoder.attempt(name, held[name])


def _formatter(encoder: Instances, value: Any) -> None:
    _class(encoder, value, "Formatter")
    held = vars(value)
    encoder.node.text(type(held.get("_style")).__name__)
    if held.get("_fmt") not in _usual():
        encoder.encode(held.get("_fmt"))
    encoder.encode(held.get("datefmt"))
    encoder.encode(getattr(held.get("_style"), "_defaults", None))
    for name in sorted(held.keys() - {"_fmt", "datefmt", "_style"}):
        encoder.node.text(name)
        encoder.attempt(name, held[name])


def _usual() -> tuple[str, ...]:
    """Formats that stand in no source: those of `Formatter()` and of `basicConfig()`."""
    return ("%(message)s", sys.modules["logging"].BASIC_FORMAT)


def _class(encoder: Instances, value: Any, known: str) -> None:
    encoder.node.text(known)
    encoder.encode(type(value))


def _file(encoder: Instances, value: Any) -> None:
    """An open file: which one and how it was opened, and, where it can be read, its bytes and the place in it."""
    name, mode = getattr(value, "name", None), str(getattr(value, "mode", ""))
    encoder.node.text(f"file {type(value).__name__} {mode} {getattr(value, 'encoding', None)}")
    if not isinstance(name, str) or name.startswith("<"):
        return  # a standard stream
    # Without the root, so that a name that stands in the sources is known as one.
    encoder.encode(encoder.walker.relative_text(os.path.realpath(name)).removeprefix("<root>/"))
    if value.closed or ("r" not in mode and "+" not in mode):
        return
    with contextlib.suppress(OSError, ValueError):
        encoder.node.text(f"at {value.tell()}")
    # A pipe is not read from, nor waited for.
    if os.path.isfile(name) and (digest := digest_of_file(name)):  # noqa: PTH113
        encoder.node.text(digest)
