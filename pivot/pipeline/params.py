"""Parameters of a stage: typed, validated, frozen values with their defaults in code."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import functools
import importlib
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, dataclass_transform

from pivot.canonical import canonical_json, parse_canonical
from pivot.errors import PipelineError, PivotError
from pivot.pipeline.param_types import Mismatch, convert, field_values, is_params_class, is_pydantic, is_same, to_json
from pivot.pipeline.params_file import Branch, Value, plain
from pivot.pipeline.scalar_text import fits_json
from pivot.pipeline.source_location import NOWHERE, SourceLine, calling_line, field_line


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
class _Validated(type):
    """Checks names and types before the dataclass's own `__init__` and the user's `__post_init__` see them."""

    def __call__(cls, *args: Any, **values: Any) -> Any:
        if args:
            raise PipelineError(
                f"{cls.__name__} takes its parameters by name",
                where=calling_line().text,
                hint=f"Write {cls.__name__}(name=value).",
            )
        return super().__call__(**_checked(cls, values, calling_line()))


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageParams(metaclass=_Validated):
    """Base of parameter classes, declared like a dataclass: `class TrainParams(pivot.StageParams): lr: float = 0.1`.

    Its objects are frozen and take their values by name.

    Raises:
        PipelineError: an object is made with an unknown name, without a value, or with a value of another type.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _copy_mutable_defaults(cls)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)


def _copy_mutable_defaults(kind: type) -> None:
    """`layers: list[int] = [8]` means a new list for each object, as everywhere that parameters are declared.

    So do defaults that dataclasses refuse because they have no hash: pydantic models and plain dataclasses.
    """
    for name, annotation in _own_annotations(kind).items():
        default = vars(kind).get(name)
        is_model = is_params_class(type(default)) and type(default).__hash__ is None
        if (is_model or type(default) in (list, dict, set)) and "ClassVar" not in str(annotation):
            setattr(kind, name, dataclasses.field(default_factory=functools.partial(copy.deepcopy, default)))


def _own_annotations(kind: type) -> dict[str, Any]:
    """As they stand: on Python 3.14 names that are not there yet must not be evaluated here."""
    if sys.version_info < (3, 14):
        return dict(vars(kind).get("__annotations__", {}))
    annotationlib = importlib.import_module("annotationlib")
    return dict(annotationlib.get_annotations(kind, format=annotationlib.Format.FORWARDREF))


def build_params(kind: type, values: Mapping[str, Any], where: SourceLine) -> Any:
    """A parameter object from values by name.

    Raises:
        PipelineError: an unknown name, a missing value, or a value of another type.
    """
    if is_pydantic(kind):
        return _build_pydantic(kind, values, where)
    return kind(**_checked(kind, values, where))


def override(params: Any, given: Branch) -> Any:
    """A copy of the parameter object with some values replaced; a table replaces single fields of a nested one.

    Raises:
        PipelineError: an unknown name (the closest one is named) or a value of another type, with its line.
    """
    kind, current = type(params), field_values(params)
    for name, held in given.values.items():
        _refuse_unknown(kind, [name], current, held.line)
    first = next((held.line for held in given.values.values()), given.line)
    types = {} if is_pydantic(kind) else _types(kind, first)
    new = {name: _overriding(kind, name, held, current[name], types) for name, held in given.values.items()}
    try:
        return build_params(kind, {**_init_values(params, current), **new}, first)
    except PivotError:
        raise
    except Exception as error:
        said = f"{kind.__name__} does not take these values: {error}"
        raise PipelineError(said, where=first.text, hint="Change the value.") from error


def _overriding(kind: type, name: str, held: Value | Branch, current: Any, types: Mapping[str, Any]) -> Any:
    if isinstance(held, Branch):
        return override(current, held) if is_params_class(type(current)) else plain(held)
    if is_pydantic(kind):  # it converts text by its own rules
        return (
            held.value if held.text is None or held.value is None or isinstance(held.value, list | dict) else held.text
        )
    try:
        return _checked_value(kind, name, held.value, types.get(name), held.line)
    except PipelineError:
        if held.text is None:
            raise
        try:
            return _checked_value(kind, name, held.text, types.get(name), held.line)
        except PipelineError:
            pass  # what was read as a value says better what is wrong
        raise


def params_values(params: Any, root: Path | None = None) -> dict[str, Any]:
    """The values of a parameter object as JSON; text and paths below `root` relative to it.

    Raises:
        PipelineError: a value has no stable form.
    """
    found = {}
    for name, value in field_values(params).items():
        try:
            found[name] = to_json(value, root)
        except TypeError as error:
            raise PipelineError(
                f"the parameter `{name}` of {type(params).__name__} cannot be recorded: {error}",
                hint="Use numbers, text, paths, enums, dates, durations, ranges, and lists or dicts of them.",
            ) from error
    return found


def settable(params: Any) -> Iterator[str]:
    """The names of the values of a parameter object that may be given from outside, with dots where they are nested."""
    for name, value in _init_values(params, field_values(params)).items():
        if is_params_class(type(value)):
            yield from (f"{name}.{inner}" for inner in settable(value))
        else:
            yield name


def untold(values: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that their form in a record and their type do not give back: functions, a dict's order."""
    return {name: value for name, value in values.items() if not _is_told(value, types.get(name, Any))}


def untold_fields(params: Any) -> dict[str, Any]:
    """The same of the fields of a parameter object."""
    try:
        types = _types(type(params), NOWHERE)
    except PipelineError:  # the annotations of a plain dataclass need not be such as can be evaluated
        types = {}
    return untold(field_values(params), types)


def _is_told(value: Any, kind: Any) -> bool:
    if value is None or type(value) in (bool, float) or (type(value) is int and fits_json(value)):
        # nothing else has their forms
        return True
    try:
        form = parse_canonical(canonical_json(to_json(value, None)))
        again = convert(form, kind, lambda nested, values: build_params(nested, values, NOWHERE))
    except (Mismatch, PivotError, TypeError):
        return False
    return is_same(again, value)


def closest(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest match, or all there is."""
    names = sorted(known)
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if found:
        return f"Did you mean `{found[0]}`?"
    return f"There are: {', '.join(names)}." if names else "There are none."


def _checked(kind: type, values: Mapping[str, Any], where: SourceLine) -> dict[str, Any]:
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    _refuse_unknown(kind, values, fields, where)
    missing = [name for name, field in fields.items() if name not in values and not _has_default(field)]
    if missing:
        raise PipelineError(
            f"{kind.__name__} lacks a value for: {', '.join(missing)}",
            where=where.text,
            hint="Give it a value here, or a default in the class.",
        )
    types = _types(kind, where)
    found = {name: _checked_value(kind, name, value, types.get(name), where) for name, value in values.items()}
    for name in fields.keys() - values.keys():
        found[name] = _checked_value(kind, name, _default(fields[name]), types.get(name), field_line(kind, name))
    return found


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _checked_value(kind: type, name: str, value: Any, expected: Any, where: SourceLine) -> Any:
    try:
        return convert(value, expected, lambda nested, values: build_params(nested, values, where))
    except Mismatch as error:
        raise PipelineError(
            f"the parameter `{name}` of {kind.__name__}: {error}",
            where=where.text,
            hint=f"Change the value, or the type of `{name}` in {kind.__name__}.",
        ) from error


def checked(value: Any, expected: Any, what: str, where: SourceLine) -> Any:
    """A value as an annotated type wants it.

    Raises:
        PipelineError: the type does not take it.
    """
    try:
        return convert(value, expected, lambda nested, values: build_params(nested, values, where))
    except Mismatch as error:
        raise PipelineError(f"{what}: {error}", where=where.text, hint="Change the value, or the type.") from error


def _types(kind: type, where: SourceLine) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError) as error:
        raise PipelineError(
            f"an annotation of {kind.__name__} cannot be evaluated: {error}",
            where=where.text,
            hint="Import the name outside `if TYPE_CHECKING`, and define it above the class.",
        ) from error


def _refuse_unknown(kind: type, values: Iterable[str], known: Iterable[str], where: SourceLine) -> None:
    names = list(known)
    for name in values:
        if name not in names:
            raise PipelineError(
                f"{kind.__name__} has no parameter `{name}`", where=where.text, hint=closest(name, names)
            )


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _init_values(params: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that a dataclass computes itself."""
    if not dataclasses.is_dataclass(params):
        return values
    return {field.name: values[field.name] for field in dataclasses.fields(params) if field.init}


def _build_pydantic(kind: Any, values: Mapping[str, Any], where: SourceLine) -> Any:
    # Names are checked here: by default pydantic passes over those that it does not know.
    aliases = {field.alias for field in kind.model_fields.values() if field.alias}
    _refuse_unknown(kind, values, [*kind.model_fields, *aliases], where)
    try:
        return kind.model_validate(dict(values))
    except ValueError as error:
        raise PipelineError(f"{kind.__name__} does not take these values: {error}", where=where.text) from error
