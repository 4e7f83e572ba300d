"""The stages of a repository as the analysis found them: plain frozen data, cached and sent between processes."""

from __future__ import annotations

from dataclasses import dataclass, field

from pivot.code.manifest import Manifest, Remark
from pivot.pipeline.spec import StageSpec


@dataclass(frozen=True, slots=True)
class Stage:
    """A declared stage with the code that it reaches; `code` is `manifest.digest()`, 32 hex digits."""

    spec: StageSpec
    manifest: Manifest
    code: str

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True)
class PipelineModel:
    """What one pipeline file gives.

    `packages` maps each distribution that the reachable modules import to its version; `environment` maps each
    environment variable read while importing to its value then (None: not set).
    """

    file: str
    stages: tuple[Stage, ...]
    remarks: tuple[Remark, ...] = ()
    packages: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A pipeline file that could not be imported: `message` is for the user, `stages` are known from before."""

    file: str
    message: str
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """All pipelines of the repository."""

    pipelines: tuple[PipelineModel, ...]
    failures: tuple[Failure, ...] = ()

    def stages(self) -> list[Stage]:
        return [stage for pipeline in self.pipelines for stage in pipeline.stages]
