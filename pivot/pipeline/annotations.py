"""Annotations as the user wrote them: evaluated, and split into a type and the artifacts on it."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin

from pivot.errors import PipelineError
from pivot.pipeline.artifacts import Artifact, Dep, Out, PlaceholderDep
from pivot.pipeline.location import class_line, function_line, parameter_line, return_line, shown
from pivot.pipeline.spec import Location

_ARTIFACTS = (Dep, PlaceholderDep, Out)
_WRAPPERS = tuple(
    getattr(typing, name) for name in ("Required", "NotRequired", "ReadOnly", "Final") if hasattr(typing, name)
)


def function_types(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function by parameter, and `return`.

    Raises:
        PipelineError: one of them cannot be evaluated.
    """
    plain = inspect.unwrap(function)
    try:
        return typing.get_type_hints(function, include_extras=True)
    except PipelineError:
        raise
    except Exception as error:
        raise _unevaluated(error, _culprit(plain, error)) from error


def class_types(owner: type) -> dict[str, Any]:
    """The annotations of a TypedDict by key.

    Raises:
        PipelineError: one of them cannot be evaluated.
    """
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except PipelineError:
        raise
    except Exception as error:
        file = inspect.getfile(owner)
        raise _unevaluated(error, Location(file, class_line(owner, file))) from error


def split(annotation: Any, where: Location) -> tuple[Any, Artifact | None]:
    """The type and its artifact; None where it has none.

    Raises:
        PipelineError: more than one artifact, or one that is not inside `Annotated`.
    """
    annotation = _unwrap(annotation)
    if _is_artifact(annotation):
        name = annotation.__name__ if isinstance(annotation, type) else type(annotation).__name__
        raise PipelineError(
            f"{name} stands where a type is expected", where=shown(where), hint=f"Write Annotated[dict, {name}(...)]."
        )
    if get_origin(annotation) in (Union, types.UnionType) and any(split(arm, where)[1] for arm in get_args(annotation)):
        raise PipelineError(
            "the artifact is on one side of a union", where=shown(where), hint="Write Annotated[X | None, ...]."
        )
    if get_origin(annotation) is not Annotated:
        return annotation, None
    found = [item for item in annotation.__metadata__ if _is_artifact(item)]
    if len(found) > 1:
        raise PipelineError("an annotation takes one artifact, this has several", where=shown(where), hint="Keep one.")
    if found and isinstance(found[0], type):
        raise PipelineError(
            f"{found[0].__name__} is not called", where=shown(where), hint=f'Write {found[0].__name__}("path").'
        )
    return annotation.__origin__, found[0] if found else None


def _unwrap(annotation: Any) -> Any:
    """Without `NotRequired[...]` and its kin, and through `type X = ...`."""
    while True:
        if get_origin(annotation) in _WRAPPERS:
            annotation = get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def _is_artifact(value: Any) -> bool:
    return isinstance(value, _ARTIFACTS) or (isinstance(value, type) and issubclass(value, _ARTIFACTS))


def _unevaluated(error: Exception, where: Location) -> PipelineError:
    return PipelineError(
        f"an annotation cannot be evaluated: {error}",
        where=shown(where),
        hint="Define or import the name above the registration, and outside `if TYPE_CHECKING`.",
    )


def _culprit(function: Callable[..., Any], error: Exception) -> Location:
    """The parameter whose annotation has the unknown name, as far as its text tells."""
    name = getattr(error, "name", None) or "\0"
    for key, annotation in _raw_annotations(function).items():
        if name in str(annotation):
            return return_line(function) if key == "return" else parameter_line(function, key)
    return function_line(function)


def _raw_annotations(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return dict(function.__annotations__)
    except Exception:  # Python 3.14 evaluates them here, and whatever the user's expression raises comes out
        return {}
