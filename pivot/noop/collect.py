"""Collects what a decision that nothing is to be done stood on, for `pivot.noop.cache`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pivot.code.analysis.cache import standing
from pivot.files import write_atomic
from pivot.noop.cache import PLACE, encode
from pivot.plan.decision import Plan
from pivot.project import Project
from pivot.run.session import Session
from pivot.state.records import IMPORTED, Record

_REFS = (
    "HEAD",
    "packed-refs",
    "index",
    "config",
    "info/exclude",
    "shallow",
    "reftable/tables.list",
    "info/sparse-checkout",
)


def save_noop(session: Session, plan: Plan, made: int, texts: dict[str, tuple[str, str]]) -> None:
    """Remember what was said about all stages, where what it stood on can be told by stat alone.

    `made` is the time (ns since the epoch) at which the command began, before it read anything.
    """
    project, model = session.project, session.model()
    names: set[str] = set()
    whole: set[str] = set()
    paths: dict[str, bool] = {}
    if session.given or project.scratch or project.location.git_dir != project.location.common_dir:
        return
    for pipeline in model.pipelines:
        evidence = standing(project.cache_dir, project.root, pipeline.file)
        if evidence is None:
            return
        paths.update((path, bool(seen.digest)) for path, seen in evidence.files.items())
        whole |= evidence.folders.keys()
        names |= evidence.environment.keys()
    for decision in plan.decisions.values():
        infos = session.memory.infos(decision.record) if decision.record else ()
        names |= {name for info in infos for name in info.environment}
        whole |= set(_imported_by_run(project.root, decision.record)) if decision.record else set()
    specs = [stage.spec for stage in model.stages()]
    if any(spec.external_paths() or spec.always for spec in specs):
        return
    declared = {path for spec in specs for path in (*spec.dep_paths(), *spec.out_paths())}
    whole |= {below for path in declared for below in _everything(str(project.root / path))}
    whole |= {*project.discovery.evidence(), *_state(project)}
    paths.update(dict.fromkeys(whole, True))
    data = encode(str(project.location.git_dir), made, paths, names, texts)
    with suppress(OSError):  # a memory that cannot be written costs time, nothing else
        write_atomic(project.location.git_dir / PLACE, data)


def _imported_by_run(root: Path, record: Record) -> Iterator[str]:
    """The files that a stage imported beyond its manifest, and the folders where one in front of them may appear."""
    for label, _ in record.code["edges"][0]:
        if label.startswith(IMPORTED):
            file = label.removeprefix(IMPORTED)
            yield from (str(root / place) for place in (file, *Path(file).parents))


def _everything(path: str) -> Iterator[str]:
    """A path and, where it is a folder, all that is below it."""
    yield path
    for folder, names, files in os.walk(path):
        yield from (f"{folder}/{name}" for name in (*names, *files))


def _state(project: Project) -> Iterator[str]:
    """Refs, settings, and what a killed command would have left."""
    git_dir, store = project.location.git_dir, project.store_path
    yield from (f"{git_dir}/{name}" for name in _REFS)
    branch = project.location.branch()
    names = ["refs/notes/pivot", "refs/pivot", "refs/pivot/runs", "refs/pivot/accepted", "refs/pivot-remotes"]
    yield from (f"{git_dir}/{name}" for name in [*names, *([f"refs/heads/{branch}"] if branch else [])])
    for folder, below, files in os.walk(f"{git_dir}/refs/pivot-remotes"):
        yield from (f"{folder}/{name}" for name in (*below, *files))
    yield from (str(project.pivot_dir / name) for name in ("journal", "aside"))
    yield from (f"{store}/{name}" for name in ("", "objects", "objects/pack", "large"))
    yield from _settings(project)


def _settings(project: Project) -> Iterator[str]:
    """Every file that settings may come from; included ones are named by the settings themselves."""
    home = Path.home()
    yield from (str(project.root / ".pivotconfig"), str(project.root / "pyproject.toml"))
    yield from (str(home / ".gitconfig"), str(home / ".config/git/config"), "/etc/gitconfig")
    yield from (str(project.root / file) for file in project.settings.files())
