"""Taking outputs out of the work tree, where nothing is lost by it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from pivot.pipeline.spec import StageSpec
from pivot.project import Project


def clean_outputs(project: Project, specs: Iterable[StageSpec]) -> tuple[list[str], list[str]]:
    """Remove outputs whose every byte the store has; what was removed, and what was kept."""
    outs = [out for spec in specs for out in spec.outs if "no-cache" not in out.flags]
    present = [path for out in outs for path in out.paths if os.path.lexists(project.root / path)]
    kept = [path for path in present if not _is_stored(project, project.root / path)]
    removed = [path for path in present if path not in kept]
    for path in removed:
        project.writer.remove(path)
    return removed, kept


def _is_stored(project: Project, place: Path) -> bool:
    if project.store.unknown(place, project.stats):
        return False
    return project.store.has(project.store.identify(place, project.stats))


def remove(place: Path) -> None:
    """Remove a file or a directory if it is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
