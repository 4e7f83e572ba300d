"""The stages of a repository as the analysis found them: plain frozen data, cached and sent between processes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from pivot.code.graph.manifest import Manifest, Remark
from pivot.errors import PipelineError
from pivot.pipeline.spec import StageSpec


class AnalysedStage(Struct, frozen=True):
    """A declared stage with the code that it reaches; `code` is `manifest.digest()`, 32 hex digits."""

    spec: StageSpec
    manifest: Manifest
    code: str

    @property
    def name(self) -> str:
        return self.spec.name


class PipelineModel(Struct, frozen=True):
    """What one pipeline file gives.

    `packages` maps each distribution that the reachable modules import to its version; `environment` maps each
    environment variable read while importing to its value then (None: not set).
    """

    file: str
    stages: tuple[AnalysedStage, ...]
    remarks: tuple[Remark, ...] = ()
    packages: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str | None] = field(default_factory=dict)


class ImportFailure(Struct, frozen=True):
    """A pipeline file that could not be imported: `message` is for the user, `stages` are known from before."""

    file: str
    message: str
    stages: tuple[AnalysedStage, ...] = ()


class Model(Struct, frozen=True):
    """All pipelines of the repository."""

    pipelines: tuple[PipelineModel, ...]
    failures: tuple[ImportFailure, ...] = ()

    def stages(self) -> list[AnalysedStage]:
        return [stage for pipeline in self.pipelines for stage in pipeline.stages]

    def broken(self) -> list[AnalysedStage]:
        """Stages of pipelines that cannot be imported now, as they were known before."""
        return [stage for failure in self.failures for stage in failure.stages]


def unite(found: Sequence[PipelineModel | ImportFailure]) -> Model:
    """The pipelines of a repository as one model.

    A stage that one pipeline file includes from another is the including one's alone.

    Raises:
        PipelineError: two stages have one name.
    """
    pipelines = [one for one in found if isinstance(one, PipelineModel)]
    included = {_identity(stage.spec) for one in pipelines for stage in one.stages if stage.spec.origin != one.file}
    kept = [_without(one, included) for one in pipelines]
    named: dict[str, StageSpec] = {}
    for spec in (stage.spec for one in kept for stage in one.stages):
        if (other := named.setdefault(spec.name, spec)) is not spec:
            raise PipelineError(
                f"{other.file} and {spec.file} both have a stage `{spec.name}`",
                where=str(spec.where),
                hint=f"The other is declared at {other.where}. Give one of them another name or prefix.",
            )
    taken = {path for spec in named.values() for path in spec.out_paths()}
    failures = [_without_taken(one, taken | named.keys()) for one in found if isinstance(one, ImportFailure)]
    return Model(tuple(kept), tuple(failures))


def _without(pipeline: PipelineModel, included: set[object]) -> PipelineModel:
    mine = [one for one in pipeline.stages if one.spec.origin != pipeline.file or _identity(one.spec) not in included]
    return pipeline if len(mine) == len(pipeline.stages) else replace(pipeline, stages=tuple(mine))


def _identity(spec: StageSpec) -> object:
    """Equal for a stage in the file that made its pipeline and in one that includes it."""
    return (spec.origin, spec.pipeline, spec.where, spec.root, spec.deps, spec.outs, repr(spec.params))


def _without_taken(failure: ImportFailure, taken: set[str]) -> ImportFailure:
    """Without stages that have moved to another pipeline since they were known."""
    left = [one for one in failure.stages if not taken.intersection((one.name, *one.spec.out_paths()))]
    return replace(failure, stages=tuple(left))
