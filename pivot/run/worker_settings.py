"""What a command needs of a project before it runs anything in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from pivot.code.analysis.cache import analysis_cache
from pivot.pipeline.overrides import Given
from pivot.pool.server_pool import WorkerSettings
from pivot.project import Project
from pivot.run.outputs import keeper_of
from pivot.store.worktree.output_backup import recover

OUTSIDE_CODE = ("count", "warn", "ignore")
STARTS = ("auto", "fork", "spawn")
CARRIED = 32 << 10
"""Bytes; so small outputs are stored by the command, many at a time: a sync of the disk costs more than they do."""


def worker_settings(project: Project, given: Sequence[Given] = ()) -> WorkerSettings:
    """Raises `SettingError`."""
    start = project.settings.get_choice("pivot.start", STARTS, "auto")
    outside = project.settings.get_choice("pivot.outsideCode", OUTSIDE_CODE, "count")
    return WorkerSettings(
        root=project.root,
        store=project.store_path,
        logs=project.pivot_dir / "logs",
        cache=str(analysis_cache(project.cache_dir, given, outside)),
        outside=outside,
        given=tuple(given),
        link=project.link,
        carried=0 if project.scratch else CARRIED,
        start=cast(Literal["auto", "fork", "spawn"], start),
    )


def recover_outputs(project: Project) -> list[str]:
    """Put back what a command that was killed had set aside; sentences about it. The lock must be held."""
    keeper = keeper_of(project)
    found = recover(project.pivot_dir, lambda path: keeper.keep(path, "an interrupted run left it"))
    return [f"put back after an interrupted run: {path.relative_to(project.root)}" for path in found]
