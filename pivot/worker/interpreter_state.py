"""The interpreter's own modules as they were at some moment, so that what user code replaced can be put back.

A stage may set `builtins.open = None` or patch sockets for its own purposes; Pivot's part of the process still has to
store the outputs and answer. Restoring uses no builtin function, since none may be left.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

# What a stage's process needs once the function has returned. Not `sys` (its streams and paths belong to the user) and
# not `threading` (a fork changes its state by itself).
STAGE_MODULES = (
    "builtins", "hashlib", "io", "json", "linecache", "os", "pathlib", "posixpath", "shutil", "signal", "time",
    "traceback", "zlib",
)  # fmt: skip
# What a code server needs besides, once the pipeline file has been imported.
SERVER_MODULES = (*STAGE_MODULES, "fcntl", "gc", "select", "socket", "struct", "subprocess", "tempfile", "warnings")


# Where CPython keeps the version of a dict, which each change makes another: after its count, type and size.
_VERSION_AT = 24
_read = ctypes.c_uint64.from_address  # bound now, like all that `restore` calls


def _version_of(namespace: dict[str, Any]) -> int:
    return _read(id(namespace) + _VERSION_AT).value


def _tells_versions() -> bool:
    """Whether this Python has them: up to 3.13, with its lock, on machines of 64 bits; seen by trying."""
    if sys.maxsize < 1 << 32 or sys.version_info >= (3, 14):
        return False
    probe: dict[str, Any] = {"a": 1, "b": [], "c": None}
    versions = []
    for change in ({}, {"b": 2}, {"d": 1}, {"a": None}):
        probe.update(change)
        versions.append(_version_of(probe))
        if probe.copy() != probe or _version_of(probe) != versions[-1]:
            return False
    return len({*versions, 0}) == 5


_TOLD = _tells_versions()


class SavedNamespace(Struct, frozen=True):
    """The namespace of a module, what it held, and its version then; `told` tells it now (None: Python has none)."""

    namespace: dict[str, Any]
    held: dict[str, Any]
    told: ctypes.c_uint64 | None
    version: int


def _keep(namespace: dict[str, Any]) -> SavedNamespace:
    version = _read(id(namespace) + _VERSION_AT) if _TOLD else None
    return SavedNamespace(namespace, namespace.copy(), version, version.value if version else 0)


def _differing(kept: SavedNamespace) -> dict[str, Any]:
    now = kept.namespace
    return {name: now[name] for name, was in kept.held.items() if now.get(name) is not was}


class NamespaceSnapshot:
    """The namespaces of those of the modules named that are loaded now."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._kept = [_keep(sys.modules[name].__dict__) for name in modules if name in sys.modules]

    def restore(self) -> None:
        """Put back every name that was bound then; names that came later stay.

        What has not changed is left alone: putting it back writes to the count of each object, and so copies 200 pages
        in a forked process.
        """
        for kept in self._kept:
            if kept.told is None or kept.told.value != kept.version:
                kept.namespace.update(kept.held)

    def patches(self) -> Patches:
        """What differs now from then."""
        return Patches([(one.namespace, _differing(one)) for one in self._kept])


class Patches:
    """Names that the import bound anew: what the pipeline's code expects to find while it runs."""

    def __init__(self, changed: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        self._changed = changed

    def apply(self) -> None:
        # Mostly there are none; going through all names would copy their pages in every forked process.
        for namespace, changed in self._changed:
            namespace.update(changed)
