"""Outputs that this clone knows: what its analyses found declared, and what is in a work tree by Pivot's doing.

Where: in `<pivot dir>` of each work tree. `known-outputs`: JSON, `{"version": 1, "paths": {path: "file" | "directory" |
"either"}}`, of every analysis of the user's code here, whatever branch it was of; written before anything is planned.
`outputs`: a JSON list of the paths that Git is to ignore now. Either may be deleted: the next `git pivot status` or
`repro` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pivot.files import write_atomic
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE

VERSION = 1
LISTED = "outputs"
_KNOWN = "known-outputs"
_MODES = {"file": (BLOB, EXECUTABLE), "directory": (TREE,), "either": (BLOB, EXECUTABLE, SYMLINK, TREE)}


class KnownOutputs:
    """What the analyses of all work trees of a clone found declared; `remember` adds to it."""

    def __init__(self, pivot_dir: Path, common_dir: Path) -> None:
        self._file = pivot_dir / _KNOWN
        self._folders = {pivot_dir, *pivot_folders(common_dir)}
        self._paths: dict[str, set[str]] | None = None

    def remember(self, declared: Mapping[str, str]) -> None:
        """Add declared outputs: by path, whether a file, a directory or either is written there."""
        own = _read(self._file)
        new = {path: kind for path, kind in declared.items() if own.get(path) not in (kind, "either")}
        if new:
            merged = own | {path: kind if own.get(path, kind) == kind else "either" for path, kind in new.items()}
            data = {"version": VERSION, "paths": merged}
            write_atomic(self._file, json.dumps(data, sort_keys=True).encode())
            self._paths = None

    def has(self, path: str, mode: int) -> bool:
        """Whether an analysis found this path declared for what has this Git mode, or a directory above it."""
        if any(mode in _MODES[kind] for kind in self._all.get(path, ())):
            return True
        above = path.rpartition("/")[0]
        while above:
            if not self._all.get(above, set()) <= {"file"}:
                return True
            above = above.rpartition("/")[0]
        return False

    def names(self, path: str) -> bool:
        return path in self._all

    @property
    def _all(self) -> dict[str, set[str]]:
        if self._paths is None:
            self._paths = {}
            for folder in self._folders:
                for path, kind in _read(folder / _KNOWN).items():
                    self._paths.setdefault(path, set()).add(kind)
        return self._paths


def read_listed(pivot_dir: Path) -> set[str]:
    """The paths that Git is to ignore for one work tree; nothing where nothing was run yet."""
    try:
        return {str(path) for path in json.loads((pivot_dir / LISTED).read_bytes())}
    except (OSError, ValueError, TypeError, RecursionError):
        return set()


def pivot_folders(common_dir: Path) -> Iterator[Path]:
    """The folders that Pivot has for all work trees of the repository."""
    yield common_dir / "pivot"
    yield from (common_dir / "worktrees").glob("*/pivot")


def _read(file: Path) -> dict[str, str]:
    """The paths of one work tree; a file that cannot be read knows nothing, and the next analysis writes it."""
    try:
        held = json.loads(file.read_bytes())
        if held["version"] != VERSION:
            return {}
        return {str(path): kind for path, kind in held["paths"].items() if kind in _MODES}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
