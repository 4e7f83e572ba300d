"""Where outputs may stand: inside the work tree, links followed, and in no other repository."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pivot.errors import PipelineError
from pivot.pipeline.spec import StageSpec


def check_places(root: Path, specs: Iterable[StageSpec]) -> None:
    """Raises `PipelineError` for an output that a link leads outside, or that lies in a repository of its own."""
    top = os.path.realpath(root)

    @cache
    def trouble(folder: str) -> str:
        """Why nothing may be written in a folder (relative to the root), or nothing."""
        if not folder:
            return ""
        place = Path(root, folder)
        real = os.path.realpath(place)
        if real != top and not real.startswith(top + os.sep):
            return f"leaves the repository through the link {folder}"
        if (place / ".git").exists():
            return f"lies in the repository {folder}, which has a Git folder of its own"
        return trouble(folder.rpartition("/")[0])

    outs = [(path, out) for spec in specs for out in spec.outs for path in out.paths]
    for path, out in outs:
        if why := trouble(path.rpartition("/")[0]):
            raise PipelineError(f"the output {path} {why}", where=str(out.where), hint="Name another path.")
