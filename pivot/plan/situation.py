"""The situation of a stage: what its fingerprint is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import xxhash
from msgspec import Struct
from msgspec.structs import replace

from pivot.code.analysis.model import AnalysedStage
from pivot.code.walk.late_imports import extend
from pivot.pipeline.spec import ArtifactSpec, StageSpec
from pivot.state.records import Record, digest_of, fingerprint_of


class Situation(Struct, frozen=True):
    """A stage with an id for every dep path.

    `static` names the situation by the code that the analysis sees; `fingerprint` also covers modules that earlier
    runs of the same situation imported (`refs/pivot/runs:reach`), and is the same where there are none.
    """

    stage: AnalysedStage
    deps: Mapping[str, str]
    code: str
    static: str
    fingerprint: str

    def result(self, outs: dict[str, Any], tree: str) -> Record:
        """The record of this situation with a result."""
        spec = self.stage.spec
        record = Record(self.stage.manifest.graph(), spec.params, artifacts(spec), dict(self.deps), outs, tree)
        return record.named(self.fingerprint)


def situation_of(stage: AnalysedStage, deps: Mapping[str, str]) -> Situation:
    fingerprint = fingerprint_of(stage.code, digest_of(stage.spec.params), digest_of(artifacts(stage.spec)), deps)
    return Situation(stage, deps, stage.code, fingerprint, fingerprint)


def widen(situation: Situation, root: Path, modules: Iterable[str]) -> Situation:
    """A situation with project modules (repository-relative files) that runs imported beyond its static manifest."""
    stage = situation.stage
    manifest = extend(stage.manifest, root, modules)
    wider = replace(stage, manifest=manifest, code=manifest.digest())
    return replace(situation_of(wider, situation.deps), static=situation.static)


def artifacts(spec: StageSpec) -> dict[str, Any]:
    """The artifacts as a record keeps them: key, paths, kind, flags, digest of the loader; no lines."""
    return {"deps": [_artifact(dep) for dep in spec.deps], "outs": [_artifact(out) for out in spec.outs]}


def _artifact(artifact: ArtifactSpec) -> dict[str, Any]:
    return {
        "key": artifact.key,
        "kind": artifact.kind,
        "paths": list(artifact.paths),
        "shape": artifact.shape,
        "flags": list(artifact.flags),
        "loader": xxhash.xxh3_64_hexdigest(artifact.loader.encode()),
    }
