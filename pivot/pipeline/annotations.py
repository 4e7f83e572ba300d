"""Annotations as the user wrote them: evaluated, and split into a type and the artifacts on it."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin

from pivot.errors import PipelineError
from pivot.pipeline.artifacts import Artifact, Dep, Out, PlaceholderDep
from pivot.pipeline.source_location import SourceLine, field_line, function_line, parameter_line, return_line

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
    except Exception as error:
        key = _culprit(plain, plain.__globals__, error)
        where = function_line(plain) if key is None else parameter_line(plain, key)
        raise _unevaluated(
            error, return_line(plain) if key == "return" else where, postponed=key is not None
        ) from error


def class_types(owner: type) -> dict[str, Any]:
    """The annotations of a TypedDict by key.

    Raises:
        PipelineError: one of them cannot be evaluated.
    """
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except Exception as error:
        module = sys.modules.get(owner.__module__)
        key = _culprit(owner, vars(module) if module else {}, error)
        where = field_line(owner, key or "\0")
        raise _unevaluated(error, where, postponed=key is not None) from error


def split(annotation: Any, where: SourceLine) -> tuple[Any, Artifact | None]:
    """The type and its artifact; None where it has none.

    Raises:
        PipelineError: more than one artifact, or one that is not inside `Annotated`.
    """
    annotation = _unwrap(annotation)
    if _is_artifact(annotation):
        name = annotation.__name__ if isinstance(annotation, type) else type(annotation).__name__
        raise PipelineError(
            f"{name} stands where a type is expected", where=where.text, hint=f"Write Annotated[dict, {name}(...)]."
        )
    if get_origin(annotation) in (Union, types.UnionType) and any(split(arm, where)[1] for arm in get_args(annotation)):
        raise PipelineError(
            "the artifact is on one side of a union", where=where.text, hint="Write Annotated[X | None, ...]."
        )
    if get_origin(annotation) is not Annotated:
        return annotation, None
    found = [item for item in annotation.__metadata__ if _is_artifact(item)]
    if len(found) > 1:
        raise PipelineError("an annotation takes one artifact, this has several", where=where.text, hint="Keep one.")
    if found and isinstance(found[0], type):
        raise PipelineError(
            f"{found[0].__name__} is not called", where=where.text, hint=f'Write {found[0].__name__}("path").'
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


def _unevaluated(error: Exception, where: SourceLine, *, postponed: bool) -> PipelineError:
    """An artifact's own complaint is kept; where its text was evaluated later, it does not know its line."""
    if isinstance(error, PipelineError):
        return PipelineError(error.what, where=where.text if postponed else error.where, hint=error.hint)
    return PipelineError(
        f"an annotation cannot be evaluated: {error}",
        where=where.text,
        hint="Define or import the name above the registration, and outside `if TYPE_CHECKING`.",
    )


def _culprit(owner: Any, names: dict[str, Any], error: Exception) -> str | None:
    """The annotation that fails: each text is evaluated by itself; without texts, the unknown name is looked for."""
    unknown = getattr(error, "name", None) or "\0"
    for key, annotation in _raw_annotations(owner).items():
        text = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", None)
        if text is None and unknown not in str(annotation):
            continue
        try:
            typing.get_type_hints(_Bearer({key: annotation}), names, include_extras=True)
        except Exception:  # whatever the user's expression raises: this is the one
            return key
    return None


class _Bearer:
    """Something that has just these annotations."""

    def __init__(self, annotations: dict[str, Any]) -> None:
        self.__annotations__ = annotations


def _raw_annotations(owner: Any) -> dict[str, Any]:
    try:
        return dict(owner.__annotations__)
    except Exception:  # Python 3.14 evaluates them here, and whatever the user's expression raises comes out
        return {}
