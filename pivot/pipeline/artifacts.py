"""Artifacts: what a stage reads and writes, as annotations of a function's parameters and of its return type.

`Annotated[dict, Dep("data.json")]` says where the value comes from; `Annotated[dict, Out("x.json")]` where it goes.
A path is relative to the pipeline's folder; a path that ends in `/` is a directory. A list or tuple of paths gives
and takes a list or tuple of values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from pivot.errors import PipelineError
from pivot.pipeline.loaders.protocol import Reader, Writer
from pivot.pipeline.source_location import calling_line
from pivot.pipeline.spec import ArtifactKind, Shape
from pivot.pipeline.variants import combinations, fill

Path = str | os.PathLike[str]
Paths = Path | Sequence[Path]
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, init=False)
class Dep:
    """An input: a file, a directory, or several.

    Args:
        path: relative to the pipeline's folder; a directory ends in `/`. A list or tuple of paths gives a list or tuple
            of values.
        loader: makes the value. It may be left out where the path's extension or the annotated type says it.
        each: collects what variants wrote into one dict: `Dep("metrics/{model}.json", each={"model": MODELS})` gives
            a value for each model, by model. It takes what `register` takes as `matrix` or `variants`.

    Raises:
        PipelineError: the path is not a path.
    """

    kind: ClassVar[ArtifactKind] = "dep"

    paths: tuple[str, ...]
    shape: Shape
    loader: Reader[Any] | None = field(hash=False)
    each: Any = field(hash=False)
    keys: tuple[Any, ...] = field(hash=False)

    def __init__(self, path: Paths, loader: Reader[Any] | None = None, *, each: Any = None) -> None:
        paths, shape = read_paths(path, type(self).__name__)
        keys: tuple[Any, ...] = ()
        if each is not None:
            paths, keys = _expand(paths, shape, each)
            shape = "dict"
        values = {"paths": paths, "shape": shape, "loader": loader, "each": each, "keys": keys}
        for name, value in values.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, init=False)
class ExternalDep(Dep):
    """An input outside the repository, by absolute path or http(s) URL. It is recorded, never moved, never stored."""

    kind: ClassVar[ArtifactKind] = "external"


@dataclass(frozen=True, slots=True)
class PlaceholderDep:
    """An input whose path is given where the stage is registered: `dep_path_overrides={"parameter": "path"}`.

    Args:
        loader: as for `Dep`.
    """

    kind: ClassVar[ArtifactKind] = "dep"

    loader: Reader[Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True, init=False)
class Out:
    """An output, named by the return type.

    Args:
        path: as for `Dep`. A list or tuple of paths takes a list or tuple of values.
        loader: writes the value; may be left out as for `Dep`.
        cache: False leaves the path to Git, which then versions it, and not Pivot.
        keep: a writable copy of what stood there stays in place while the stage runs, for one that goes on from a
            checkpoint or appends to a log; without it the path is free when the stage starts. That copy is no input: a
            change of it runs nothing again, and the stage must be able to start without it. Where it must count, use
            `IncrementalOut`.
        optional: the stage may leave the output out (no file, or the value None).

    Raises:
        PipelineError: the path is not a path.
    """

    kind: ClassVar[ArtifactKind] = "out"

    paths: tuple[str, ...]
    shape: Shape
    loader: Writer[Any] | Reader[Any] | None = field(hash=False)
    cache: bool
    keep: bool
    optional: bool

    def __init__(
        self,
        path: Paths,
        loader: Writer[Any] | Reader[Any] | None = None,
        *,
        cache: bool = True,
        keep: bool = False,
        optional: bool = False,
    ) -> None:
        paths, shape = read_paths(path, type(self).__name__)
        values = {"loader": loader, "cache": cache, "keep": keep, "optional": optional}
        for name, value in {"paths": paths, "shape": shape, **values}.items():
            object.__setattr__(self, name, value)

    @property
    def flags(self) -> tuple[str, ...]:
        """Sorted: `keep`, `no-cache`, `optional`."""
        given = {"keep": self.keep, "no-cache": not self.cache, "optional": self.optional}
        return tuple(name for name, holds in given.items() if holds)


@dataclass(frozen=True, slots=True, init=False)
class Metric(Out):
    """An output whose numbers are worth comparing: they are shown, and compared between commits."""

    kind: ClassVar[ArtifactKind] = "metric"


@dataclass(frozen=True, slots=True, init=False)
class Plot(Out):
    """An output that is a picture, or rows to draw one from."""

    kind: ClassVar[ArtifactKind] = "plot"


@dataclass(frozen=True, slots=True, init=False)
class DirectoryOut(Out):
    """A directory with one file a key: `DirectoryOut("folder/", loader)`.

    The value is `dict[str, T]`; a key is a file's path below the directory, and the loader writes each file.
    """

    kind: ClassVar[ArtifactKind] = "directory"


@dataclass(frozen=True, slots=True, init=False)
class IncrementalOut(Out):
    """An output made from its previous version: annotated on a parameter (the one before) and on the return (the next).

    The first time the parameter is `loader.empty()`.
    """

    kind: ClassVar[ArtifactKind] = "incremental"


Artifact = Dep | PlaceholderDep | Out


def depends_on(*objects: Any) -> Callable[[FunctionT], FunctionT]:
    """Declare by hand that a function reaches these objects, where the code does not show it: `@depends_on(thing)`.

    Args:
        objects: functions, classes, modules or values; a change of one of them runs the stages of the function.
    """

    def attach(function: FunctionT) -> FunctionT:
        before: tuple[Any, ...] = getattr(function, "__pivot_depends_on__", ())
        function.__pivot_depends_on__ = (*before, *objects)  # type: ignore[attr-defined]
        return function

    return attach


def _expand(paths: tuple[str, ...], shape: Shape, each: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """A path for each combination, and its key in the dict."""
    where = calling_line().text
    try:
        found = combinations(each)
        made = tuple(fill(paths[0], one.values) for one in found)
    except (TypeError, ValueError) as error:
        raise PipelineError(f"each: {error}", where=where, hint='Write each={"model": ["a", "b"]}.') from None
    if shape != "one" or len(set(made)) < len(made):
        said = "several paths" if shape != "one" else f"the one path {paths[0]}"
        raise PipelineError(f"each needs a path of its own for each, not {said}", where=where, hint=_EACH)
    return made, tuple(one.key for one in found)


_EACH = 'Write Dep("metrics/{model}.json", each={"model": ["a", "b"]}).'


def read_paths(path: Any, artifact: str) -> tuple[tuple[str, ...], Shape]:
    """Paths as strings, and whether one, a list or a tuple was given.

    Raises:
        PipelineError: something else was given, nothing, or an empty path.
    """
    shape: Shape = "list" if isinstance(path, list) else "tuple" if isinstance(path, tuple) else "one"
    given = [path] if shape == "one" else list(path)
    paths = tuple(os.fspath(item) for item in given if isinstance(item, str | os.PathLike))
    if len(paths) < len(given) or not all(isinstance(item, str) and item for item in paths) or not paths:
        raise PipelineError(
            f"{artifact} takes a path, or a list or tuple of paths, not {path!r}",
            where=calling_line().text,
            hint=f'Write {artifact}("folder/file.json").',
        )
    return paths, shape
