"""The outputs that stand in this work tree by Pivot's doing, and that Git is to ignore."""

from __future__ import annotations

from pivot.project import Project
from pivot.store.worktree.known_outputs import read_listed


def listed_outputs(project: Project) -> set[str]:
    """What `pivot.run.git_exclude` wrote down last; nothing where nothing was run yet."""
    return read_listed(project.pivot_dir)


def remember_outputs(project: Project, old: set[str], new: set[str]) -> list[str]:
    """Write down what stands here now, and renew the ignore block; sentences about what stands against it.

    A path that may be code, and that no analysis of this clone knows, is not hidden from `git status`.
    """
    new = project.writer.hideable(new)
    if old == new:
        return []
    # Asks Git about every branch: only where the list has changed.
    from pivot.run.git_exclude import exclude_outputs

    return exclude_outputs(project, new)
