"""The outputs that stand in this work tree by Pivot's doing, and that Git is to ignore."""

from __future__ import annotations

import json

from pivot.project import Project


def listed_outputs(project: Project) -> set[str]:
    """What `pivot.run.excluding` wrote down last; nothing where nothing was run yet."""
    try:
        return {str(path) for path in json.loads((project.pivot_dir / "outputs").read_bytes())}
    except (OSError, ValueError, TypeError):
        return set()


def remember_outputs(project: Project, old: set[str], new: set[str]) -> list[str]:
    """Write down what stands here now, and renew the ignore block; sentences about what stands against it."""
    if old == new:
        return []
    # Asks Git about every branch: only where the list has changed.
    from pivot.run.excluding import exclude_outputs

    return exclude_outputs(project, new)
