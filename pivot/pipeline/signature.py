"""From a plain function to what its stage reads, writes and is set by: the annotations are the declaration."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from pivot.errors import PipelineError
from pivot.pipeline.annotations import class_types, function_types, split
from pivot.pipeline.artifacts import Dep, ExternalDep, IncrementalOut, Out, Paths, PlaceholderDep
from pivot.pipeline.bound_artifacts import BoundOutput, Input, StageContext, bind_input, bind_output
from pivot.pipeline.param_types import is_params_class
from pivot.pipeline.params import checked, closest
from pivot.pipeline.source_location import (
    SourceLine,
    field_line,
    function_line,
    known_line,
    parameter_line,
    return_line,
)
from pivot.pipeline.spec import Location
from pivot.pipeline.variants import filled

SINGLE = "return"
_NOT_AT_ONCE = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class Overrides(Struct, frozen=True):
    """Paths given at registration, by parameter and by output key (`return` for a single output).

    `values` are those of the variant, by name.
    """

    deps: Mapping[str, Paths] = field(default_factory=dict)
    outs: Mapping[str, Paths] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


class Signature(Struct, frozen=True):
    """`single`: the return type is one annotated value, not a TypedDict. `params` is the parameter that takes them.

    `injected` are values of the variant, by the parameter of that name.
    """

    inputs: tuple[Input, ...]
    outputs: tuple[BoundOutput, ...]
    single: bool
    params: inspect.Parameter | None
    params_class: type | None
    injected: Mapping[str, Any] = field(default_factory=dict)


def read_signature(
    function: Callable[..., Any], place: StageContext, overrides: Overrides, line: SourceLine
) -> Signature:
    """Read the annotations; `line` is where the stage is registered.

    Raises:
        PipelineError: the function cannot be a stage, or an annotation will not do.
    """
    check_function(function, place.stage, line)
    hints = function_types(function)
    for option, given in (("dep_path_overrides", overrides.deps), ("out_path_overrides", overrides.outs)):
        _check_mapping(option, given, place, line)
    injected = _injected(function, hints, place, overrides.values)
    inputs, params = _read_parameters(function, hints, place, overrides)
    outputs, single = _read_return(function, hints, place, overrides)
    _check_names("dep_path_overrides", overrides.deps, [item.key for item in inputs], place, line)
    _check_names("out_path_overrides", overrides.outs, [item.key for item in outputs], place, line)
    _check_increments(inputs, outputs, place)
    params_class = _params_class(hints[params.name]) if params else None
    return Signature(tuple(inputs), tuple(outputs), single, params, params_class, injected)


def _injected(
    function: Callable[..., Any], hints: Mapping[str, Any], place: StageContext, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of the variant that the function takes by name, as their annotated types want them."""
    found: dict[str, Any] = {}
    if not values:
        return found
    for name in values.keys() & inspect.signature(function).parameters.keys():
        where = parameter_line(function, name)
        kind, artifact = split(hints.get(name, Any), where)
        if artifact is not None or _params_class(kind):
            said = "params" if artifact is None else f"a {type(artifact).__name__}"
            raise PipelineError(
                f"stage `{place.stage}`: `{name}` is a value of the variant, and {said} by its annotation",
                where=where.text,
                hint="Give one of the two another name.",
            )
        found[name] = checked(values[name], kind, f"`{name}` of the variant", where)
    return dict(sorted(found.items()))


def check_function(function: Any, stage: str, line: SourceLine) -> None:
    """Refuse what cannot be called anew in another process.

    Raises:
        PipelineError: not a function, a lambda, a nested, async or generator function.
    """
    plain = inspect.unwrap(function) if callable(function) else function
    if not inspect.isfunction(plain):
        said = f"a {type(function).__name__}" if " at 0x" in repr(function) else repr(function)
        raise PipelineError(
            f"a stage is a function, not {said}", where=line.text, hint="Define it with `def` in a module."
        )
    where = function_line(plain)
    if plain.__name__ == "<lambda>":
        raise PipelineError(
            "a lambda cannot be a stage", where=where.text, hint="Define it with `def`, at module level."
        )
    if "<locals>" in plain.__qualname__:
        raise PipelineError(
            f"stage `{stage}`: {plain.__qualname__} is defined inside another function",
            where=where.text,
            hint="Move it to module level. If it is a decorator's wrapper, put functools.wraps(function) on it.",
        )
    if plain.__code__.co_flags & _NOT_AT_ONCE:
        raise PipelineError(
            f"stage `{stage}` is async or a generator: its value is not there when it returns",
            where=where.text,
            hint="Return the value; inside, call asyncio.run(...) or list(...).",
        )


def _read_parameters(
    function: Callable[..., Any], hints: Mapping[str, Any], place: StageContext, overrides: Overrides
) -> tuple[list[Input], inspect.Parameter | None]:
    inputs: list[Input] = []
    params: inspect.Parameter | None = None
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        where = parameter_line(function, name)
        _check_parameter(parameter, where, place)
        if name in overrides.values:
            continue
        kind, artifact = split(hints.get(name, parameter.empty), where)
        params_class = _params_class(kind)
        if isinstance(artifact, Dep | PlaceholderDep | IncrementalOut):
            moved = filled(_moved(artifact, overrides.deps.get(name)), overrides.values, where)
            inputs.append(bind_input(moved, name, kind, where, place))
        elif artifact is not None:
            raise PipelineError(
                f"stage `{place.stage}`: parameter `{name}` is annotated with {type(artifact).__name__}",
                where=where.text,
                hint="Outputs stand on the return type; a parameter takes Dep, or IncrementalOut for what was before.",
            )
        elif params_class:
            params = _first_params(parameter, params, where, place)
        elif parameter.default is parameter.empty:
            raise _not_annotated(name, kind, where, place)
    return inputs, params


def _first_params(
    parameter: inspect.Parameter, before: inspect.Parameter | None, where: SourceLine, place: StageContext
) -> inspect.Parameter:
    if before is not None:
        raise PipelineError(
            f"stage `{place.stage}` takes params twice, for `{before.name}` and for `{parameter.name}`",
            where=where.text,
            hint="Make one class of them; a field of it may be a class of its own.",
        )
    return parameter


def _check_parameter(parameter: inspect.Parameter, where: SourceLine, place: StageContext) -> None:
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise PipelineError(
            f"stage `{place.stage}`: parameter `{parameter.name}` can only be given by position",
            where=where.text,
            hint="Take the `/` out of the parameters.",
        )
    if isinstance(parameter.default, Dep | PlaceholderDep | Out):
        name = type(parameter.default).__name__
        raise PipelineError(
            f"stage `{place.stage}`: {name} is the default of parameter `{parameter.name}`",
            where=where.text,
            hint=f"Write {parameter.name}: Annotated[dict, {name}(...)].",
        )


def _not_annotated(name: str, kind: Any, where: SourceLine, place: StageContext) -> PipelineError:
    said = "has no annotation" if kind is inspect.Parameter.empty else "has no Dep in its annotation"
    return PipelineError(
        f"stage `{place.stage}`: parameter `{name}` {said}",
        where=where.text,
        hint=f'Write {name}: Annotated[dict, pivot.Dep("path")], or a StageParams class, or give a default.',
    )


def _read_return(
    function: Callable[..., Any], hints: Mapping[str, Any], place: StageContext, overrides: Overrides
) -> tuple[list[BoundOutput], bool]:
    where = return_line(function)
    if "return" not in hints:
        raise PipelineError(
            f"stage `{place.stage}` does not say what it returns",
            where=where.text,
            hint='Write -> Annotated[dict, pivot.Out("path")], a TypedDict of such, or -> None for no output.',
        )
    kind, artifact = split(hints["return"], where)
    if artifact is not None:
        moved = _moved(_require_out(artifact, SINGLE, where, place), overrides.outs.get(SINGLE))
        moved = filled(moved, overrides.values, where)
        return [bind_output(moved, SINGLE, kind, where, place)], True
    if kind is type(None) or kind is None:
        return [], True
    if typing.is_typeddict(kind):
        return _read_keys(kind, where, place, overrides), False
    name = getattr(typing.get_origin(kind) or kind, "__name__", str(kind))
    raise PipelineError(
        f"stage `{place.stage}`: the return type, {name}, is neither annotated with an Out nor a TypedDict",
        where=where.text,
        hint='Write -> Annotated[dict, pivot.Out("path")], or a TypedDict whose keys are annotated so.',
    )


def _read_keys(owner: Any, fallback: SourceLine, place: StageContext, overrides: Overrides) -> list[BoundOutput]:
    outputs = []
    for key, annotation in class_types(owner).items():
        where = field_line(owner, key, fallback)
        kind, artifact = split(annotation, where)
        moved = _moved(_require_out(artifact, key, where, place), overrides.outs.get(key))
        moved = filled(moved, overrides.values, where)
        if key in owner.__optional_keys__ and not moved.optional:
            raise PipelineError(
                f"stage `{place.stage}`: the key `{key}` may be left out, its output may not",
                where=where.text,
                hint=f"Write Out(..., optional=True), or make `{key}` a required key.",
            )
        outputs.append(bind_output(moved, key, kind, where, place))
    return outputs


def _require_out(artifact: Any, key: str, where: SourceLine, place: StageContext) -> Out:
    if isinstance(artifact, Out):
        return artifact
    said = "has no Out" if artifact is None else f"is annotated with {type(artifact).__name__}"
    raise PipelineError(
        f"stage `{place.stage}`: the return value `{key}` {said}",
        where=where.text,
        hint=f'Write {key}: Annotated[dict, pivot.Out("path")].' if key != SINGLE else "Write Out on the return type.",
    )


def _moved(artifact: Any, paths: Paths | None) -> Any:
    """The artifact with another path, and all else as it was."""
    if paths is None:
        return artifact
    if isinstance(artifact, Out):
        kept = {"cache": artifact.cache, "keep": artifact.keep, "optional": artifact.optional}
        return type(artifact)(paths, artifact.loader, **kept)
    each = getattr(artifact, "each", None)
    if isinstance(artifact, ExternalDep):
        return ExternalDep(paths, artifact.loader, each=each)
    return Dep(paths, artifact.loader, each=each)


def _check_mapping(option: str, given: Any, place: StageContext, line: SourceLine) -> None:
    if not isinstance(given, Mapping):
        raise PipelineError(
            f"stage `{place.stage}`: {option} is a dict of paths, not {given!r}",
            where=line.text,
            hint=f'Write {option}={{"name": "path"}}; the name of a single output is `{SINGLE}`.',
        )


def _check_names(
    option: str, given: Mapping[str, Paths], known: list[str], place: StageContext, line: SourceLine
) -> None:
    for name in given:
        if name not in known:
            raise PipelineError(
                f"stage `{place.stage}`: {option} names `{name}`, which has no path",
                where=line.text,
                hint=closest(name, known),
            )


def _check_increments(inputs: list[Input], outputs: list[BoundOutput], place: StageContext) -> None:
    written = {item.paths for item in outputs if item.kind == "incremental"}
    for item in inputs:
        if item.kind == "incremental" and item.paths not in written:
            raise PipelineError(
                f"stage `{place.stage}` takes {item.paths[0]} as IncrementalOut and does not return it",
                where=item.line.text,
                hint="Annotate the return type with IncrementalOut and the same path.",
            )


def _params_class(annotation: Any) -> type | None:
    """The parameter class that an annotation names, also as `TrainParams | None`."""
    arms = typing.get_args(annotation) if typing.get_origin(annotation) in (typing.Union, types.UnionType) else ()
    named = [annotation] if not arms else [arm for arm in arms if arm is not type(None)]
    kind = split(named[0], known_line(Location("", 0)))[0] if len(named) == 1 else None
    return kind if isinstance(kind, type) and is_params_class(kind) else None
