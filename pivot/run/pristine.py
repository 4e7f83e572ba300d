"""The interpreter's own modules as they were at some moment, so that what user code replaced can be put back.

A stage may set `builtins.open = None` or patch sockets for its own purposes; Pivot's part of the process still has to
store the outputs and answer. Restoring uses no builtin function, since none may be left.
"""

from __future__ import annotations

import sys
from typing import Any

# Not `sys` (its streams and paths belong to the user) and not `threading` (a fork changes its state by itself).
_GUARDED = (
    "builtins", "errno", "fcntl", "gc", "hashlib", "io", "json", "linecache", "os", "pathlib", "posix",
    "posixpath", "resource", "select", "selectors", "shutil", "signal", "socket", "stat", "struct", "tempfile",
    "time", "traceback", "zlib",
)  # fmt: skip


class Snapshot:
    """The namespaces of the guarded modules that are loaded now."""

    def __init__(self) -> None:
        loaded = [sys.modules[name] for name in _GUARDED if name in sys.modules]
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
