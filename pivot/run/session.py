"""What a command works on: a project, the model of its pipelines, and a planner over both."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from pivot.code.analysis.cache import last_known, standing
from pivot.code.analysis.model import ImportFailure, Model, PipelineModel, unite
from pivot.code.evidence import Evidence, changed, without_packages
from pivot.errors import CodeError, PipelineError, ProjectError
from pivot.git.plumbing.index import tracked
from pivot.pipeline.overrides import Given, check_stages
from pivot.pipeline.path_conflicts import check_outputs
from pivot.pipeline.paths import PathKey
from pivot.pipeline.spec import StageSpec
from pivot.plan.inputs import Inputs
from pivot.plan.known_results import LastResults, Memory
from pivot.plan.planner import Planner
from pivot.plan.policies import Policies, read_policies
from pivot.plan.remote_availability import read_elsewhere
from pivot.pool.pool import WorkerPool
from pivot.project import Project
from pivot.run.output_locations import check_places
from pivot.state.accepted import Accepted
from pivot.state.notes import head_lines
from pivot.sync.remote.config import default_named, has_remote


class Session:
    """What needs the user's code goes through `workers`, which start when a cached analysis does not hold."""

    def __init__(self, project: Project, workers: WorkerPool, *, pull: bool | None = None) -> None:
        self.project = project
        self._pull = pull
        self.workers = workers
        self._models: dict[str, PipelineModel | ImportFailure] = {}
        self._united: tuple[list[PipelineModel | ImportFailure], Model] | None = None
        self._evidence: dict[str, Evidence | None] = {}
        self._codes: dict[str, str] = {}
        self._planner: Planner | None = None

    @property
    def given(self) -> tuple[Given, ...]:
        """Parameters that hold for this command alone: what it finds out says nothing about the commit."""
        return self.workers.settings.given

    @property
    def analyses(self) -> Path:
        """The folder of the analysis cache."""
        return Path(self.workers.settings.cache or self.project.cache_dir)

    @cached_property
    def memory(self) -> Memory:
        last = LastResults(self.project.cache_dir / "last")
        return Memory(self.project.runs, Accepted(self.project.backend), head_lines(self.project.backend), last)

    @cached_property
    def policies(self) -> Policies:
        return read_policies(self.project.settings)

    @cached_property
    def inputs(self) -> Inputs:
        settings = self.project.settings
        has_default, configured = default_named(settings) is not None, has_remote(settings)
        elsewhere = read_elsewhere(settings, remote=has_default, configured=configured, pull=self._pull)
        return Inputs(self.project.root, self.project.store, self.project.stats, elsewhere, self.project.location)

    def model(self) -> Model:
        """All pipelines of the repository; each from its cached analysis, or from a code server.

        Raises:
            ProjectError: there is no pipeline.
            CodeError: no pipeline can be imported.
            PipelineError: two stages have one name or write one path.
        """
        files = self.project.discovery.pipelines()
        if not files:
            raise ProjectError(
                "there is no pipeline in this repository",
                where=str(self.project.root),
                hint="Write a `pipeline.py` with `pipeline = pivot.Pipeline(...)`.",
            )
        self._load([file for file in files if file not in self._models])
        found = [self._models[file] for file in files]
        if self._united is None or not _are_same(self._united[0], found):
            self._united = found, self._unite(found)
        model = self._united[1]
        specs = [stage.spec for stage in model.stages()]
        check_places(self.project.root, specs)
        self._check_tracked(specs)
        self._check_untracked(model)
        self._remember(specs)
        return model

    def refresh(self, files: Iterable[str]) -> bool:
        """Analyse these pipelines in code servers, which runs of their stages need anyway; True if one has changed."""
        wanted = sorted(files)
        before = {file: self._models.get(file) for file in wanted}
        self._take(wanted, self.workers.models(wanted, fresh=True))
        for file in wanted:
            self._evidence.pop(file, None)
        self._codes = {stage.name: stage.code for one in self._found() for stage in one.stages}
        return any(self._models[file] != before[file] for file in wanted)

    def forget(self) -> None:
        """Look at all files anew: some have changed."""
        self._models.clear()
        self._evidence.clear()
        self.inputs.forget_all()

    def planner(self) -> Planner:
        self._planner = Planner(self.project.root, self.model(), self.inputs, self.memory, self.policies)
        return self._planner

    def source(self, digest: str) -> str | None:
        """The source text of a manifest entry: of the code as it is now, or as a run of before kept it."""
        imported = self._planner.sources() if self._planner else {}  # modules that only runs import
        return self._sources.get(digest) or self.project.runs.source(digest) or imported.get(digest)

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {one.digest: one.source for stage in self.model().stages() for one in stage.manifest.entries}

    def _found(self) -> list[PipelineModel]:
        return [one for one in self._models.values() if isinstance(one, PipelineModel)]

    def failures(self) -> list[ImportFailure]:
        return [one for one in self._models.values() if isinstance(one, ImportFailure)]

    def pipeline(self, spec: StageSpec) -> PipelineModel:
        """The model of a stage's pipeline file.

        Raises:
            CodeError: it cannot be imported any more.
        """
        found = self._models[spec.file]
        if isinstance(found, ImportFailure):
            raise CodeError(found.message)
        return found

    def code(self, spec: StageSpec) -> str:
        """The digest of the code that the pipeline's own process must find for a stage."""
        self.pipeline(spec)
        return self._codes.get(spec.name, "")

    def moved(self, spec: StageSpec) -> str:
        """What the analysis of a stage's pipeline stands on and has changed since; empty while it stands."""
        if spec.file not in self._evidence:
            found = standing(self.analyses, self.project.root, spec.file)
            self._evidence[spec.file] = found and without_packages(found)
        evidence = self._evidence[spec.file]
        path = changed(evidence) if evidence else ""
        return path.removeprefix(f"{self.project.root}/")

    def _unite(self, found: list[PipelineModel | ImportFailure]) -> Model:
        """One model, with what can be said against it by itself."""
        model = unite(found)
        if not model.pipelines:
            raise CodeError("\n".join(_told(failure) for failure in model.failures))
        specs = [stage.spec for stage in model.stages()]
        if not specs:
            raise ProjectError(
                f"{', '.join(one.file for one in found)} registers no stage",
                hint="Write `pipeline = pivot.Pipeline('name')` and `pipeline.register(function)`.",
            )
        if not model.failures:
            check_stages(self.given, [spec.name for spec in specs])
        for error in check_outputs(specs, PathKey(self.project.root)):
            raise error
        return model

    def _check_tracked(self, specs: list[StageSpec]) -> None:
        """Git and Pivot cannot both keep a path: a switch of branches would make them overwrite each other."""
        kept = {path: out for spec in specs for out in spec.outs if "no-cache" not in out.flags for path in out.paths}
        for path in sorted(tracked(self.project.location, kept)):
            raise PipelineError(
                f"Git tracks the output {path}",
                where=str(kept[path].where),
                hint=f"Hand it to Pivot with `git rm --cached {path}`, or leave it to Git with Out(..., cache=False).",
            )

    def _remember(self, specs: list[StageSpec]) -> None:
        """Let the hooks, which look at no code, know what the code declares."""
        if not self.project.scratch:
            declared = {path: out.written for spec in specs for out in spec.outs for path in out.paths}
            self.project.writer.known.remember(declared)

    def _check_untracked(self, model: Model) -> None:
        """With `pivot.untracked = error`, code that cannot be tracked is not run."""
        remarks = [one for stage in model.stages() for one in stage.manifest.remarks if one.kind == "untracked"]
        if remarks and self.policies.untracked == "error":
            first = remarks[0]
            raise PipelineError(
                f"{first.name} is not tracked, because {first.why}",
                where=f"{first.file}:{first.line}",
                hint=first.mend or "Change it, or allow it with `git config pivot.untracked warn`.",
            )

    def _load(self, files: list[str]) -> None:
        self._take(files, self.workers.models(files))

    def _take(self, files: list[str], found: list[PipelineModel | ImportFailure]) -> None:
        for file, one in zip(files, found, strict=True):
            known = (
                last_known(self.project.cache_dir, self.project.root, file) if isinstance(one, ImportFailure) else ()
            )
            self._models[file] = replace(one, stages=known) if isinstance(one, ImportFailure) else one


def _are_same(known: Sequence[object], found: Sequence[object]) -> bool:
    return len(known) == len(found) and all(map(operator.is_, known, found))


def _told(failure: ImportFailure) -> str:
    """A traceback says in its last line alone what is wrong; what Pivot says of a declaration begins with the place."""
    is_traceback = failure.message.startswith(("Traceback", " "))
    return f"{failure.file} cannot be imported\n{failure.message}" if is_traceback else failure.message
