"""`Pipeline`: where functions become stages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack, overload

from msgspec.structs import replace

from pivot.errors import PipelineError
from pivot.pipeline.artifacts import Paths
from pivot.pipeline.bound_artifacts import Declared, StageContext
from pivot.pipeline.param_types import field_values
from pivot.pipeline.params import build_params, closest, override
from pivot.pipeline.params_file import Branch, Value
from pivot.pipeline.path_conflicts import Claim, Claims, self_reads
from pivot.pipeline.paths import PathKey, prefix_of
from pivot.pipeline.run_policy import read_policy
from pivot.pipeline.signature import Overrides, Signature, read_signature
from pivot.pipeline.source_location import (
    SourceLine,
    calling_frame,
    calling_line,
    function_line,
    real_path,
    repository_of,
)
from pivot.pipeline.stage import Home, Stage
from pivot.pipeline.variants import Variant, read_variants

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

# `/` and `:` join a stage to its pipeline, `@ = ,` name variants, `+ * ?` and `[` are for targets on the command line.
_NAME = re.compile(r"[\w][\w.-]*")


class StageOptions(TypedDict, total=False):
    """What `Pipeline.register` takes beside the function."""

    name: str | None
    params: Any
    dep_path_overrides: Mapping[str, Paths] | None
    out_path_overrides: Mapping[str, Paths] | None
    frozen: bool
    always: bool
    matrix: Mapping[str, Iterable[Any]] | None
    variants: Mapping[str, Mapping[str, Any]] | Iterable[Mapping[str, Any]] | None
    resources: Mapping[str, float] | None
    mutex: str | Sequence[str] | None
    timeout: float | str | None
    retries: int
    priority: int


class Pipeline:
    """A named set of stages.

    Args:
        name: letters, digits, `_`, `-` and `.`.
        root: the folder that the stages' paths are relative to, and that they run in; by default that of the file that
            makes the pipeline, where a relative one starts too.

    Raises:
        PipelineError: the name has characters that a name may not have.
    """

    def __init__(self, name: str, root: str | Path | None = None) -> None:
        self.line = calling_line()
        _check_name(name, "pipeline", self.line)
        self.name = name
        self.file = _calling_file()
        folder = Path(self.file).parent if self.file else Path.cwd().resolve()
        self.root = folder if root is None else real_path(folder / root).resolve()
        self._repository = repository_of(self.root)
        self._prefix = prefix_of(self.root, self._repository) if self._repository else None
        self._stages: dict[str, Stage] = {}
        self._lines: dict[str, SourceLine] = {}
        self._claims = Claims(PathKey(self.root))
        self._included: list[Pipeline] = []
        self._includers: list[tuple[Pipeline, str, SourceLine]] = []

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: {len(self._stages)} stages>"

    @property
    def stages(self) -> list[Stage]:
        """The stages, in the order in which they were registered."""
        return list(self._stages.values())

    @property
    def included(self) -> list[Pipeline]:
        """The pipelines whose stages are in this one too."""
        return [*self._included, *(below for one in self._included for below in one.included)]

    def include(self, other: Pipeline, prefix: str | None = None) -> None:
        """Take in the stages of another pipeline, those that it gets later as well.

        Args:
            other: its stages' paths stay what they are, relative to its own folder.
            prefix: with it the stage `train` is `prefix/train` here.

        Raises:
            PipelineError: a stage's name or path is taken here, or the pipelines include each other.
        """
        line = calling_line()
        if prefix is not None:
            _check_name(prefix, "prefix", line)
        if other is self or self in other.included:
            raise PipelineError(
                f"pipeline `{self.name}` would include itself",
                where=line.text,
                hint=f"`{other.name}` is made at {other.line.text}. Take one of the two includes away.",
            )
        start = f"{prefix}/" if prefix else ""
        self._included.append(other)
        other._includers.append((self, start, line))
        for stage in other.stages:
            self._add(replace(stage, name=start + stage.name), line)

    @overload
    def register(self, function: FunctionT, **options: Unpack[StageOptions]) -> FunctionT: ...

    @overload
    def register(self, function: None = None, **options: Unpack[StageOptions]) -> Callable[[FunctionT], FunctionT]: ...

    def register(
        self, function: FunctionT | None = None, **options: Unpack[StageOptions]
    ) -> FunctionT | Callable[[FunctionT], FunctionT]:
        """Make a stage of a function and return the function unchanged; also a decorator, with or without options.

        Values of `matrix` and `variants` stand for `{model}` in paths, and are given to parameters and to fields of the
        parameter class that have their names. `resources` and all after it say how the stage is run, which never
        counts as a change.

        Args:
            function: its annotations say what the stage reads and writes.
            name: by default the function's.
            params: an object of the class that a parameter is annotated with, the class itself, or a dict of values.
            dep_path_overrides: paths of inputs, by the names of the parameters that take them.
            out_path_overrides: paths of outputs, by key of the `TypedDict`; `return` where the stage has one output.
            frozen: never run.
            always: run every time.
            matrix: `{"model": ["a", "b"], "seed": range(3)}` makes a stage for each combination, named
                `train@model=a,seed=0`.
            variants: `{"small": {"layers": 2}}` makes the stage `train@small`.
            resources: what the stage takes, `{"gpu": 1}`, of what there is, `pivot.resources.gpu` and so on.
            mutex: `"db"`: never beside another stage with that name; `"*"`: beside no other stage.
            timeout: in seconds, or as `"90s"`, `"5m"`, `"2h"`; by default none.
            retries: how often it is tried again after a failure, with growing pauses; by default never.
            priority: of stages that could start, the higher one does so first; by default 0.

        Raises:
            PipelineError: the function, one of its annotations or an option will not do.
        """
        line = calling_line()
        _check_options(options, line)

        def register(function: FunctionT) -> FunctionT:
            name = options.get("name") or str(getattr(function, "__name__", "stage"))
            for variant in read_variants(options.get("variants"), options.get("matrix"), name, line):
                self._add(self._stage(function, name, (options, variant), line), line)
            return function

        return register if function is None else register(function)

    def _stage(
        self, function: Callable[..., Any], base: str, asked: tuple[StageOptions, Variant], line: SourceLine
    ) -> Stage:
        options, variant = asked
        name = f"{base}@{variant.name}" if variant.name else base
        paths = (options.get("dep_path_overrides") or {}, options.get("out_path_overrides") or {})
        overrides = Overrides(*paths, variant.values)
        signature = read_signature(function, StageContext(name, self._prefix), overrides, line)
        _check_name(base, "stage", line)  # of a lambda there is better to say
        return Stage(
            name=name,
            function=function,
            signature=signature,
            params=_with_values(_params_of(signature, options.get("params"), name, line), variant, line),
            home=Home(self.name, self.root, self.file),
            line=function_line(function),
            frozen=options.get("frozen", False),
            always=options.get("always", False),
            policy=read_policy(options, name, line),
            values=variant.values,
        )

    def _add(self, stage: Stage, line: SourceLine) -> None:
        """Take a stage whose name and paths no other has."""
        if stage.name in self._stages:
            raise PipelineError(
                f"pipeline `{self.name}` has a stage `{stage.name}` already",
                where=line.text,
                hint=f"It is registered at {self._lines[stage.name].text}. Give one of them another name or prefix.",
            )
        outs = [self._claim(stage, item, path) for item in stage.outputs for path in item.paths]
        deps = [self._claim(stage, item, path) for item in stage.inputs if item.kind == "dep" for path in item.paths]
        for error in self_reads(deps, outs, self._claims.key):
            raise error
        for error in filter(None, map(self._claims.add, outs)):
            raise error
        self._stages[stage.name] = stage
        self._lines[stage.name] = line
        for includer, start, where in self._includers:
            includer._add(replace(stage, name=start + stage.name), where)

    def _claim(self, stage: Stage, item: Declared, path: str) -> Claim:
        """A path of a stage, relative to this pipeline's folder."""
        if stage.root != self.root:  # it was included
            path = posixpath.normpath(posixpath.join(prefix_of(stage.root, self.root), path))
        return Claim(stage.name, path.rstrip("/"), item.line)


def _check_options(options: StageOptions, line: SourceLine) -> None:
    for name in options:
        if name not in StageOptions.__annotations__:
            raise PipelineError(
                f"register has no option `{name}`", where=line.text, hint=closest(name, StageOptions.__annotations__)
            )
    for name in ("frozen", "always"):
        if type(given := options.get(name, False)) is not bool:
            raise PipelineError(
                f"{name} cannot be {given!r}", where=line.text, hint=f"Write {name}=True, or leave it out."
            )
    if options.get("frozen") and options.get("always"):
        raise PipelineError("a stage cannot be frozen and always", where=line.text, hint="Keep one of the two.")


def _check_name(name: Any, what: str, line: SourceLine) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PipelineError(
            f"{name!r} is not a name for a {what}",
            where=line.text,
            hint="A name has letters, digits, `_`, `-` and `.`, and starts with a letter, digit or `_`.",
        )


def _calling_file() -> str:
    """The user's file; empty where there is none (an interactive session)."""
    frame = calling_frame()
    file = frame.f_globals.get("__file__") or frame.f_code.co_filename if frame else "<unknown>"
    return "" if file.startswith("<") else str(real_path(file))


def _with_values(params: Any, variant: Variant, line: SourceLine) -> Any:
    """The parameter object with the variant's values in the fields of their names."""
    known = field_values(params) if params is not None else {}
    given = {name: Value(value, line) for name, value in variant.values.items() if name in known}
    return override(params, Branch(line, given)) if given else params


def _params_of(signature: Signature, given: Any, stage: str, line: SourceLine) -> Any:
    """The parameter object of a stage, from what `register` was given or from the class's defaults."""
    taker, kind = signature.params, signature.params_class
    if taker is None or kind is None:
        if given is None:
            return None
        raise PipelineError(
            f"stage `{stage}` is given params, and no parameter takes them",
            where=line.text,
            hint="Annotate a parameter with the params' class: def train(..., params: TrainParams).",
        )
    if given is None and taker.default is not taker.empty:
        given = taker.default
    if given is None or given is kind:
        return build_params(kind, {}, line)
    if isinstance(given, Mapping):
        return build_params(kind, given, line)
    made = build_params(given, {}, line) if isinstance(given, type) and issubclass(given, kind) else given
    if not isinstance(made, kind):
        raise PipelineError(
            f"stage `{stage}` takes {kind.__name__} for `{taker.name}`, not {type(made).__name__}",
            where=line.text,
            hint=f"Write params={kind.__name__}(...).",
        )
    return made
