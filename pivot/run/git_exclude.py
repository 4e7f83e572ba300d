"""Which outputs Git is to ignore: those of the stages that any work tree of this repository has checked out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from pivot.files import write_atomic
from pivot.git.exclude import not_ignored, rewrite, tracked_by_branches, unlisted
from pivot.project import Project
from pivot.store.worktree.known_outputs import LISTED, pivot_folders, read_listed


def exclude_outputs(project: Project, paths: Iterable[str]) -> list[str]:
    """Renew the ignore block for the outputs of all work trees; sentences about what stands against it."""
    own, before = sorted(set(paths)), sorted(read_listed(project.pivot_dir))
    if own != before:
        write_atomic(project.pivot_dir / LISTED, json.dumps(own).encode())
    left = [path for path in sorted({*before} - {*own}) if (project.root / path).exists()]
    wanted = sorted(
        {*own, *(path for folder in pivot_folders(project.location.common_dir) for path in read_listed(folder))}
    )
    branches = tracked_by_branches(project.backend, wanted)
    rewrite(project.location.common_dir, [path for path in wanted if path not in branches])
    return [
        *(f"{path} is no output any more; it stays where it is, for you to keep or remove" for path in left),
        *_seen_by_git(project, own, branches),
    ]


def is_excluded(project: Project, paths: Iterable[str]) -> bool:
    """Whether `exclude_outputs` would find nothing to write."""
    own = sorted(set(paths))
    if sorted(read_listed(project.pivot_dir)) != own:
        return False
    left = unlisted(project.location.common_dir, own)
    return not left or tracked_by_branches(project.backend, left).keys() == set(left)


def seen_by_git(project: Project, paths: Iterable[str]) -> list[str]:
    """Sentences about outputs that Git does not ignore, and why."""
    own = sorted(set(paths))
    return _seen_by_git(project, own, tracked_by_branches(project.backend, own))


def _seen_by_git(project: Project, own: list[str], branches: Mapping[str, str]) -> list[str]:
    tracked = {path: branches[path] for path in own if path in branches}
    defeated = not_ignored(project.location, [path for path in own if path not in tracked])
    return [
        *(f"{path} is an output here and tracked by branch {name}: not ignored" for path, name in tracked.items()),
        *(f"{path} is an output, and {rule} keeps Git from ignoring it" for path, rule in defeated.items() if rule),
    ]
