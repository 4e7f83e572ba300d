"""Scripts of the project that literals name: `exec`, `runpy` or a program runs them, and no import shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pivot.code.lookup.modules import Module, Modules


def scripts_named(tokens: tuple[str, ...], module: Module, modules: Modules) -> Iterator[str]:
    """The project files that string tokens name to be run: `work.py`, `-m tools.work`, alone or in a command."""
    whole = "".join(tokens)
    if ".py" not in whole and "-m" not in whole:
        return
    before = ""
    for token in tokens:
        text = token[1:] if token[:1] == "s" else ""
        if before == "-m":
            yield from _module(text, modules)
        elif text.endswith(".py") and " " not in text.strip():
            yield from _file(text.strip(), module, modules)
        elif " " in text and ("-m " in text or ".py" in text):
            yield from _in_command(text, module, modules)
        before = text


def _in_command(text: str, module: Module, modules: Modules) -> Iterator[str]:
    """`python work.py`, or what follows an interpreter in an f-string; a message may mention a file."""
    words = text.split()
    if words[0].startswith("python"):
        words = words[1:]
    elif text[0] != " ":
        return
    if words[:1] == ["-m"] and len(words) > 1:
        yield from _module(words[1], modules)
    elif words and words[0].endswith(".py"):
        yield from _file(words[0], module, modules)


def _module(name: str, modules: Modules) -> Iterator[str]:
    """The file of a project module that `python -m` runs; of a package, its `__main__`."""
    found = modules.by_name(f"{name}.__main__") or modules.by_name(name)
    if found is not None:
        yield found.path


def _file(text: str, module: Module, modules: Modules) -> Iterator[str]:
    for folder in (Path(module.path).parent, modules.files.root):
        path = os.path.normpath(folder / text)
        if modules.files.owns(path) and os.path.isfile(path):  # noqa: PTH113 (a literal may not be a path)
            yield path
            return
