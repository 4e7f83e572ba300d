"""Values of parameters: checked against an annotated type, and turned into JSON values for a record."""

from __future__ import annotations

import dataclasses
import enum
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pivot.canonical import canonical_json
from pivot.pipeline.scalar_text import fits_json, parse_scalar, scalar_text

Build = Callable[[type, Mapping[str, Any]], Any]


class Mismatch(ValueError):
    """A value that its type does not take; the text says which was expected and which was given."""


def convert(value: Any, kind: Any, build: Build) -> Any:
    """The value as its annotated type wants it; `build` makes a nested parameter class from a mapping.

    Only what loses nothing is converted: int to float, a number to a complex one, list to tuple or range, and text to
    a path, an enum member, a date or another value that is text in a record.
    A type that cannot be checked takes every value.

    Raises:
        Mismatch: the type does not take the value.
    """
    origin = get_origin(kind)
    if origin is Annotated:
        return convert(value, get_args(kind)[0], build)
    if origin is Union or origin is types.UnionType:
        return _convert_union(value, kind, build)
    if origin is Literal:
        return _convert_literal(value, kind)
    if origin is not None:
        return _convert_container(value, kind, origin, build)
    if kind is None or kind is type(None):
        return _require(value is None, value, value, "None")
    if not isinstance(kind, type) or kind is object or kind is Any:  # `Any` is a class from Python 3.11 on
        return value
    return _convert_class(value, kind, build)


def _require(holds: bool, converted: Any, given: Any, expected: str) -> Any:
    if not holds:
        raise Mismatch(f"expected {expected}, not {given!r}")
    return converted


def _convert_union(value: Any, kind: Any, build: Build) -> Any:
    arms = get_args(kind)
    # An arm that takes the value as it is wins over an arm before it that would change it: `float | int` keeps 1.
    exact = [arm for arm in arms if isinstance(arm, type) and type(value) is arm]
    for arm in (*exact, *arms):
        try:
            return convert(value, arm, build)
        except Mismatch:
            continue
    raise Mismatch(f"expected {_show(kind)}, not {value!r}")


def _convert_literal(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    found = any(value == choice and type(value) is type(choice) for choice in choices)
    return _require(found, value, value, "one of " + ", ".join(map(repr, choices)))


def _convert_container(value: Any, kind: Any, origin: Any, build: Build) -> Any:
    if not isinstance(origin, type):
        return value
    inner = get_args(kind)
    if issubclass(origin, Mapping):
        _require(isinstance(value, Mapping), value, value, _show(kind))
        return {convert(key, inner[0], build): convert(item, inner[1], build) for key, item in value.items()}
    if issubclass(origin, tuple):
        return _convert_tuple(value, kind, build)
    if issubclass(origin, Sequence | AbstractSet):
        many = isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes)
        _require(many, value, value, _show(kind))
        items = [convert(item, inner[0], build) for item in value]
        return frozenset(items) if origin is frozenset else set(items) if issubclass(origin, AbstractSet) else items
    return _require(isinstance(value, origin), value, value, _show(kind))


def _convert_tuple(value: Any, kind: Any, build: Build) -> Any:
    inner = get_args(kind)
    _require(isinstance(value, list | tuple), value, value, _show(kind))
    if inner[1:] == (...,):
        return tuple(convert(item, inner[0], build) for item in value)
    _require(len(value) == len(inner), value, value, _show(kind))
    return tuple(convert(item, arm, build) for item, arm in zip(value, inner, strict=True))


def _convert_class(value: Any, kind: type, build: Build) -> Any:
    if kind is bool:
        return _require(isinstance(value, bool), value, value, "bool")
    if kind is int and not isinstance(value, str):
        _require(hasattr(value, "__index__") and not isinstance(value, bool), value, value, "int")
        return operator.index(value)
    if kind is float:
        return _to_float(value)
    if isinstance(value, kind):
        return value
    if kind is complex and isinstance(value, int | float) and not isinstance(value, bool):
        return complex(value)
    if kind is range and isinstance(value, list | tuple):
        return _to_range(value)
    if isinstance(value, Mapping) and is_params_class(kind):
        return build(kind, value)
    if kind in (tuple, list, set, frozenset) and isinstance(value, list | tuple):
        return kind(value)
    if isinstance(value, str):
        return _convert_text(value, kind)
    if issubclass(kind, enum.Enum):
        return _convert_member(value, kind)
    raise Mismatch(f"expected {_show(kind)}, not {value!r}")


def _to_float(value: Any) -> float:
    _require(isinstance(value, int | float) and not isinstance(value, bool), value, value, "float")
    try:
        return float(value)
    except OverflowError:
        raise Mismatch("expected float, not an integer that is too large for one") from None


def _to_range(value: Sequence[Any]) -> range:
    are_bounds = 1 <= len(value) <= 3 and all(type(bound) is int for bound in value) and list(value[2:]) != [0]
    _require(are_bounds, value, value, "range, such as [0, 10] or [0, 10, 2]")
    return range(*value)


def _convert_text(value: str, kind: type) -> Any:
    if issubclass(kind, enum.Enum):
        return _convert_member(value, kind)
    if issubclass(kind, PurePath):
        return kind(value)
    try:
        found = parse_scalar(value, kind)
    except ValueError as error:
        raise Mismatch(f"expected {error}, not {value!r}") from None
    return _require(found is not None, found, value, _show(kind))


def _convert_member(value: Any, kind: type[enum.Enum]) -> Any:
    found = next((member for member in kind if value in (member.value, member.name)), None)
    return _require(found is not None, found, value, "one of " + ", ".join(member.name for member in kind))


def is_params_class(kind: Any) -> bool:
    """A dataclass (`StageParams` or plain) or a pydantic model."""
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or is_pydantic(kind))


def is_pydantic(kind: type) -> bool:
    """Told by its protocol, since pydantic may not be installed."""
    return hasattr(kind, "model_fields") and hasattr(kind, "model_validate")


def to_json(value: Any, root: Path | None) -> Any:
    """The value as JSON holds it; text and paths below `root` relative to it, so that a checkout may move.

    Raises:
        TypeError: there is no stable form for it.
    """
    if value is None or isinstance(value, bool | int | float):
        return _plain_scalar(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, str | PurePath):
        return _without_root(_valid(value.as_posix() if isinstance(value, PurePath) else str(value)), root)
    if isinstance(value, Mapping):
        return {str(to_json(key, root)): to_json(item, root) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item, root) for item in value]
    if isinstance(value, AbstractSet):
        return sorted((to_json(item, root) for item in value), key=canonical_json)
    if is_params_class(type(value)):
        return {name: to_json(item, root) for name, item in field_values(value).items()}
    return _other_to_json(value)


def _plain_scalar(value: Any) -> Any:
    """Subclasses (numpy's float64, an IntEnum) would be written by their own rules."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int) and not fits_json(value):
        return scalar_text(value)
    kind = next((kind for kind in (bool, int, float) if isinstance(value, kind)), None)
    return value if kind is None else kind(value)


def _valid(text: str) -> str:
    """File names in another encoding are held with surrogates, which UTF-8 has not."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise TypeError(f"the text {text!r} is no Unicode and has no form in a record")
    return text


def _other_to_json(value: Any) -> Any:
    if (text := scalar_text(value)) is not None:
        return text
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, type) or callable(value):
        # Its code stands in the manifest; the name says which one it is.
        return f"{getattr(value, '__qualname__', type(value).__qualname__)}"
    if type(value).__module__.partition(".")[0] == "numpy":
        return to_json(value.tolist(), None)
    raise TypeError(f"{type(value).__qualname__} has no form in a record")


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same types, down to what they contain."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        return len(one) == len(other) and all(map(is_same, (*one, *one.values()), (*other, *other.values())))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, AbstractSet):
        return one == other and {(type(item), item) for item in one} == {(type(item), item) for item in other}
    if is_params_class(type(one)):
        return is_same(field_values(one), field_values(other))
    return one is other or bool(one == other)


def _without_root(text: str, root: Path | None) -> str:
    if root is None:
        return text
    inside = text.removeprefix(f"{root}/")
    return "." if text == str(root) else f"./{inside}" if inside != text else text


def field_values(params: Any) -> dict[str, Any]:
    """The fields of a parameter object by name, not copied."""
    if dataclasses.is_dataclass(params):
        return {field.name: getattr(params, field.name) for field in dataclasses.fields(params)}
    return {name: getattr(params, name) for name in type(params).model_fields}


def _show(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")
