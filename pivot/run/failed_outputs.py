"""What a failed stage had written: it never stands as a result, and can be looked at until the stage runs again.

Where: `<pivot dir>/failed/<stage, percent-encoded>/<output path>`, of the last failure alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from pivot.pool.logs import log_folder
from pivot.store.odb.layout import remove


class Remains:
    """The partial outputs of stages in the work tree at `root`."""

    def __init__(self, root: Path, pivot_dir: Path) -> None:
        self._root = root
        self._folder = pivot_dir / "failed"

    def put_by(self, stage: str, paths: Iterable[str]) -> str:
        """Move what stands at these outputs to where it can be looked at; that folder, or "" where nothing stands."""
        found = [path for path in paths if os.path.lexists(self._root / path)]
        self.forget(stage)
        folder = log_folder(self._folder, stage)
        with contextlib.suppress(OSError):  # a full disk: then they are removed, as all that a failed stage wrote
            for path in found:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(self._root / path, target)
        return str(folder) if folder.is_dir() else ""

    def forget(self, stage: str) -> None:
        """The stage runs again."""
        remove(str(log_folder(self._folder, stage)))
