"""The interpreter's own modules as they were at some moment, so that what user code replaced can be put back.

A stage may set `builtins.open = None` or patch sockets for its own purposes; Pivot's part of the process still has to
store the outputs and answer. Restoring uses no builtin function, since none may be left.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

# What a stage's process needs once the function has returned. Not `sys` (its streams and paths belong to the user) and
# not `threading` (a fork changes its state by itself).
STAGE_MODULES = (
    "builtins", "hashlib", "io", "json", "linecache", "os", "pathlib", "posixpath", "shutil", "signal", "time",
    "traceback", "zlib",
)  # fmt: skip
# What a code server needs besides, once the pipeline file has been imported.
SERVER_MODULES = (*STAGE_MODULES, "fcntl", "gc", "select", "socket", "struct", "subprocess", "tempfile", "warnings")


class Snapshot:
    """The namespaces of those of the modules named that are loaded now."""

    def __init__(self, modules: Iterable[str]) -> None:
        loaded = [sys.modules[name] for name in modules if name in sys.modules]
        self._saved: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (namespace, namespace.copy()) for namespace in [module.__dict__ for module in loaded]
        ]

    def restore(self) -> None:
        """Put back every name that was bound then; names that came later stay."""
        for namespace, saved in self._saved:
            namespace.update(saved)

    def patches(self) -> Patches:
        """What differs now from then."""
        return Patches(
            [
                (namespace, {name: namespace[name] for name in saved if namespace.get(name) is not saved[name]})
                for namespace, saved in self._saved
            ]
        )


class Patches:
    """Names that the import bound anew: what the pipeline's code expects to find while it runs."""

    def __init__(self, changed: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        self._changed = changed

    def apply(self) -> None:
        # Mostly there are none; going through all names would copy their pages in every forked process.
        for namespace, changed in self._changed:
            namespace.update(changed)
