"""Stages as plain data, for tests of everything that decides without running."""

from __future__ import annotations

from collections.abc import Iterable

from pivot.code.analysis.model import AnalysedStage
from pivot.code.graph.manifest import Entry, Manifest
from pivot.pipeline.spec import ArtifactKind, ArtifactSpec, Location, StageSpec

WHERE = Location("pipeline.py", 1)


def artifact(
    key: str, kind: ArtifactKind, path: str, flags: tuple[str, ...] = (), loader: str = "JSON()"
) -> ArtifactSpec:
    return ArtifactSpec(key, kind, (path,), "one", flags, loader, WHERE)


def spec(
    name: str, *, deps: Iterable[str] = (), outs: Iterable[str] = (), incremental: Iterable[str] = (), **more: object
) -> StageSpec:
    """A stage of `pipeline.py` at the root; an artifact's key is its path."""
    ins = (
        *(artifact(path, "dep", path) for path in deps),
        *(artifact(path, "incremental", path) for path in incremental),
    )
    made = tuple(artifact(path, "out", path) for path in outs)
    place = ("main", "pipeline.py", "", f"pipeline:{name}", WHERE)
    return StageSpec(name, *place, ins, made, **more)  # type: ignore[arg-type]


def entry(name: str, digest: str, *edges: tuple[str, int]) -> Entry:
    return Entry(name, digest * 32, "pipeline.py", 5, tuple(edges))


def stage(declared: StageSpec, *entries: Entry) -> AnalysedStage:
    manifest = Manifest(entries or (entry(f"func:{declared.name}", "0"),))
    return AnalysedStage(declared, manifest, manifest.digest())
