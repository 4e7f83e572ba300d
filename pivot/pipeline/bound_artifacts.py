"""An artifact bound to a stage: to a parameter, or to the return type or one of its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from pivot.canonical import canonical_json
from pivot.errors import PipelineError
from pivot.pipeline.artifacts import Artifact, Dep, IncrementalOut, Out, PlaceholderDep
from pivot.pipeline.loaders import PathOnly, describe
from pivot.pipeline.loaders.choice import fit_loader, infer_loader
from pivot.pipeline.param_types import to_json
from pivot.pipeline.paths import check_external, check_path, in_repository
from pivot.pipeline.source_location import SourceLine, relative_to
from pivot.pipeline.spec import ArtifactKind, ArtifactSpec, Location, Shape


class StageContext(Struct, frozen=True):
    """Where a stage stands: its name for errors, and its pipeline's folder relative to the repository, if any."""

    stage: str
    prefix: str | None


class Declared(Struct, frozen=True):
    """`paths` are as declared, normalised: relative to the pipeline's folder, a directory with `/` at the end.

    `loaders` has one for each path; they differ only where the extensions do. `value_type` is the annotated type.
    """

    artifact: Artifact
    key: str
    paths: tuple[str, ...]
    shape: Shape
    loaders: tuple[Any, ...]
    value_type: Any
    line: SourceLine

    @property
    def kind(self) -> ArtifactKind:
        return self.artifact.kind

    @property
    def where(self) -> Location:
        return self.line.find() or Location("<unknown>", 0)

    @property
    def loader(self) -> Any:
        return self.loaders[0]

    @property
    def flags(self) -> tuple[str, ...]:
        if isinstance(self.artifact, Out):
            return self.artifact.flags
        keys = getattr(self.artifact, "keys", ())
        return (f"each {canonical_json(to_json(keys, None)).decode().strip()}",) if keys else ()

    def to_spec(self, prefix: str, repository: Path) -> ArtifactSpec:
        """As plain data with repository-relative paths.

        Raises:
            PipelineError: a path is outside the repository.
        """
        paths = self.paths
        if self.kind != "external":
            paths = tuple(in_repository(path, prefix, self.line) for path in paths)
        loader = ", ".join(dict.fromkeys(describe(loader) for loader in self.loaders))
        return ArtifactSpec(
            self.key, self.kind, paths, self.shape, self.flags, loader, relative_to(self.where, repository)
        )


class Input(Declared, frozen=True):
    """An artifact on a parameter; `key` is the parameter's name."""


class BoundOutput(Declared, frozen=True):
    """An artifact on the return type; `key` is the key of the TypedDict, or `return`."""

    @property
    def optional(self) -> bool:
        return "optional" in self.flags


def bind_input(
    artifact: Dep | PlaceholderDep | IncrementalOut, key: str, kind: Any, where: SourceLine, place: StageContext
) -> Input:
    """Check a parameter's artifact.

    Raises:
        PipelineError: a path or a loader that will not do.
    """
    if isinstance(artifact, PlaceholderDep):
        raise PipelineError(
            f"stage `{place.stage}`: the path of parameter `{key}` is given where the stage is registered, and is not",
            where=where.text,
            hint=f'Write register({place.stage}, dep_path_overrides={{"{key}": "path"}}).',
        )
    paths = _checked_paths(artifact, where, place)
    loaders = tuple(_reader(artifact, path, kind, where) for path in paths)
    bound = Input(artifact, key, paths, artifact.shape, loaders, kind, where)
    if isinstance(artifact, IncrementalOut):
        _require_empty(bound)
    return bound


def bind_output(artifact: Out, key: str, kind: Any, where: SourceLine, place: StageContext) -> BoundOutput:
    """Check an artifact of the return type.

    Raises:
        PipelineError: a path or a loader that will not do.
    """
    paths = _checked_paths(artifact, where, place)
    loaders = tuple(_writer(artifact, path, kind, where) for path in paths)
    return BoundOutput(artifact, key, paths, artifact.shape, loaders, kind, where)


def _checked_paths(artifact: Dep | Out, where: SourceLine, place: StageContext) -> tuple[str, ...]:
    if artifact.kind == "external":
        return tuple(check_external(path, where) for path in artifact.paths)
    paths = tuple(check_path(path, place.prefix, where) for path in artifact.paths)
    return tuple(path.rstrip("/") + "/" for path in paths) if artifact.kind == "directory" else paths


def _reader(artifact: Dep | IncrementalOut, path: str, kind: Any, where: SourceLine) -> Any:
    loader = _loader(artifact, path, kind, where)
    if not callable(getattr(loader, "load", None)):
        raise PipelineError(
            f"{describe(loader)} cannot read {path}: it has no `load`",
            where=where.text,
            hint="Name a loader that reads, such as loaders.PathOnly().",
        )
    return loader


def _writer(artifact: Out, path: str, kind: Any, where: SourceLine) -> Any:
    loader = _loader(artifact, path, kind, where)
    if artifact.kind == "directory":
        if isinstance(loader, PathOnly):
            raise PipelineError(
                f"DirectoryOut writes {path} file by file and needs a loader that writes",
                where=where.text,
                hint=f'Write DirectoryOut("{path}", loaders.JSON()), or Out("{path}", loaders.PathOnly()).',
            )
    elif path.endswith("/") and not isinstance(loader, PathOnly):
        raise PipelineError(
            f"the output {path} is a directory, and {describe(loader)} writes one file",
            where=where.text,
            hint=f'Write DirectoryOut("{path}", {describe(loader)}) for one file a key.',
        )
    if not isinstance(loader, PathOnly) and not callable(getattr(loader, "save", None)):
        raise PipelineError(
            f"{describe(loader)} cannot write {path}: it only reads",
            where=where.text,
            hint="Name a loader that writes, or loaders.PathOnly() and write the file in the stage.",
        )
    return loader


def _loader(artifact: Dep | Out, path: str, kind: Any, where: SourceLine) -> Any:
    loader = artifact.loader
    if isinstance(loader, type):
        raise PipelineError(
            f"the loader of {path} is a class", where=where.text, hint=f"Make an instance: {loader.__name__}()."
        )
    if loader is not None and not hasattr(loader, "load") and not hasattr(loader, "save"):
        raise PipelineError(
            f"{loader!r} is no loader for {path}: it has neither `load` nor `save`",
            where=where.text,
            hint="Name one of pivot.loaders, or an object with load(path), save(value, path) or both.",
        )
    if loader is not None:
        return fit_loader(loader, kind)
    found = infer_loader(path, kind)
    if found is None:
        raise PipelineError(
            f"nothing says how {path} is read or written: its extension has no loader of its own",
            where=where.text,
            hint=f'Name one: {type(artifact).__name__}("{path}", loaders.Bytes()), or loaders.PathOnly().',
        )
    return found


def _require_empty(bound: Input) -> None:
    if isinstance(bound.loader, PathOnly) or callable(getattr(bound.loader, "empty", None)):
        return
    raise PipelineError(
        f"the loader {describe(bound.loader)} does not say which value `{bound.key}` has before the first run",
        where=bound.line.text,
        hint="Give the loader a method empty() -> value.",
    )
