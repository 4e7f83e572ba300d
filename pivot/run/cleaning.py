"""Taking outputs out of the work tree, where nothing is lost by it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pivot.pipeline.spec import StageSpec
from pivot.project import Project


def clean_outputs(project: Project, specs: Iterable[StageSpec]) -> tuple[list[str], list[str]]:
    """Remove outputs whose every byte the store has; what was removed, and what was kept."""
    removed, kept = [], []
    for spec in specs:
        for out in spec.outs:
            for path in () if "no-cache" in out.flags else out.paths:
                place = project.root / path
                if not place.exists():
                    continue
                if project.store.unknown(place, project.stats) or not project.store.has(
                    project.store.identify(place, project.stats)
                ):
                    kept.append(path)
                else:
                    remove(place)
                    removed.append(path)
    return removed, kept


def remove(place: Path) -> None:
    """Remove a file or a directory if it is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
