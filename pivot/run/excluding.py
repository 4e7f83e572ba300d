"""Which outputs Git is to ignore: those of the stages that any work tree of this repository has checked out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pivot.files import write_atomic
from pivot.git.exclude import not_ignored, rewrite, tracked_by_branches
from pivot.project import Project

LIST = "outputs"  # beside the cache: what this work tree's stages write, a JSON list


def exclude_outputs(project: Project, paths: Iterable[str]) -> list[str]:
    """Renew the ignore block for the outputs of all work trees; sentences about what stands against it."""
    own = sorted(set(paths))
    if own != _read(project.pivot_dir):
        write_atomic(project.pivot_dir / LIST, json.dumps(own).encode())
    wanted = sorted({*own, *(path for folder in _other_trees(project) for path in _read(folder))})
    branches = tracked_by_branches(project.backend, wanted)
    rewrite(project.location.common_dir, [path for path in wanted if path not in branches])
    notices = [
        f"{path} is an output here and tracked by branch {branch}: Git does not ignore it"
        for path, branch in branches.items()
        if path in own
    ]
    defeated = not_ignored(project.location, [path for path in own if path not in branches])
    return notices + [
        f"{path} is an output, and {rule or 'a rule'} keeps Git from ignoring it" for path, rule in defeated.items()
    ]


def _other_trees(project: Project) -> Iterator[Path]:
    """The folders that Pivot has for all work trees of the repository."""
    common = project.location.common_dir
    yield common / "pivot"
    yield from (common / "worktrees").glob("*/pivot")


def _read(folder: Path) -> list[str]:
    try:
        return [str(path) for path in json.loads((folder / LIST).read_bytes())]
    except (OSError, ValueError, TypeError):
        return []  # a work tree in which nothing was run yet
