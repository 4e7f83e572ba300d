"""Variants of a stage: one function registered for several combinations of values.

A combination comes from a matrix (`{"model": ["a", "b"], "seed": range(3)}`, all with all), from named variants
(`{"small": {"layers": 2}}`), or from a list of dicts. Its values stand for `{model}` in paths, and are given to
parameters, and to fields of the parameter class, that have their names.
"""

from __future__ import annotations

import copy
import enum
import itertools
import re
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import Any

from msgspec import Struct, field

from pivot.errors import PipelineError
from pivot.pipeline.params import closest
from pivot.pipeline.scalar_text import fits_json, scalar_text
from pivot.pipeline.source_location import SourceLine

_PLACE = re.compile(r"\{(\w+)\}")
_UNSAFE = re.compile(r"[^\w.-]")


class Variant(Struct, frozen=True):
    """`name` follows the stage's name and an `@` ("" for a stage without variants); `key` tells it apart in a dict."""

    name: str = ""
    key: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)


def read_variants(variants: Any, matrix: Any, stage: str, line: SourceLine) -> list[Variant]:
    """The variants that `register` is to make; a single one without a name where none are asked for.

    Raises:
        PipelineError: both are given, or one is not what it should be, or two variants have one name.
    """
    if variants is not None and matrix is not None:
        raise PipelineError(f"stage `{stage}` has variants and a matrix", where=line.text, hint="Keep one of the two.")
    if variants is None and matrix is None:
        return [Variant()]
    try:
        found = _from_matrix(matrix) if variants is None else combinations(variants, named=True)
    except (TypeError, ValueError) as error:
        raise PipelineError(f"stage `{stage}`: {error}", where=line.text, hint=_HINT) from None
    return found


_HINT = 'Write matrix={"model": ["a", "b"], "seed": range(3)}, or variants={"small": {"layers": 2}}.'


def combinations(given: Any, *, named: bool = False) -> list[Variant]:
    """The combinations of a matrix, of named variants (a dict of dicts), or of a list of dicts.

    Raises:
        TypeError, ValueError: it is none of these, it is empty, or two have one name.
    """
    if isinstance(given, Mapping):
        is_named = named or all(isinstance(one, Mapping) for one in given.values())
        return _unique([_named(name, values) for name, values in given.items()]) if is_named else _from_matrix(given)
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        return _unique([_listed(values) for values in given])
    raise TypeError(f"{given!r} is neither a dict nor a list of dicts")


def _from_matrix(given: Any) -> list[Variant]:
    if not isinstance(given, Mapping) or any(isinstance(one, str | bytes) for one in given.values()):
        raise TypeError(f"a matrix is a dict of lists, not {given!r}")
    axes = {_checked_name(name): list(values) for name, values in given.items()}
    return _unique([_listed(dict(zip(axes, values, strict=True))) for values in itertools.product(*axes.values())])


def _named(name: Any, values: Any) -> Variant:
    if not isinstance(name, str) or not name or not isinstance(values, Mapping):
        raise TypeError(f"variants are dicts of values by name, not {name!r}: {values!r}")
    return Variant(_encode(name), name, {"variant": name, **{_checked_name(one): held for one, held in values.items()}})


def _listed(values: Any) -> Variant:
    if not isinstance(values, Mapping) or not values:
        raise TypeError(f"a variant is a dict of values, not {values!r}")
    name = ",".join(f"{_checked_name(axis)}={_encode(text_of(value))}" for axis, value in values.items())
    key = next(iter(values.values())) if len(values) == 1 else tuple(values.values())
    return Variant(name, key, dict(values))


def _unique(found: list[Variant]) -> list[Variant]:
    names = [one.name for one in found]
    if not found:
        raise ValueError("there are no variants")
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise ValueError(f"two variants have the name {twice}")
    return found


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"{name!r} cannot be the name of a parameter")
    return name


def text_of(value: Any) -> str:
    """How a value stands in a path and in a stage's name.

    Raises:
        TypeError: it has no short text of its own.
    """
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int) and not isinstance(value, bool) and not fits_json(value):
        return scalar_text(int(value)) or ""
    if value is None or isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, PathLike):
        return str(fspath(value))
    if (text := scalar_text(value)) is not None:
        return text
    if type(value).__module__.partition(".")[0] == "numpy" and not getattr(value, "shape", (1,)):
        return text_of(value.item())
    raise TypeError(f"{value!r} has no name: use variants, which have names of their own")


def fill(text: str, values: Mapping[str, Any], line: SourceLine | None = None) -> str:
    """The text with values for `{name}`; with a line, a name that has no value is refused.

    Raises:
        PipelineError: such a name.
    """

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name in values:
            return text_of(values[name])
        if line is None:
            return found[0]
        raise PipelineError(
            f"the path {text} has {found[0]}, and no variant has such a value",
            where=line.text,
            hint=closest(name, values),
        )

    return _PLACE.sub(place, text)


def filled(artifact: Any, values: Mapping[str, Any], line: SourceLine) -> Any:
    """An artifact whose paths have the values of a variant, and all else as it was."""
    paths: tuple[str, ...] | None = getattr(artifact, "paths", None)
    if not values or paths is None:
        return artifact
    found = copy.copy(artifact)
    try:
        object.__setattr__(found, "paths", tuple(fill(path, values, line) for path in paths))
    except TypeError as error:
        raise PipelineError(str(error), where=line.text, hint="Use another value in the path.") from None
    return found


def _encode(text: str) -> str:
    """`@ = , / : + * ? [` and spaces have meanings in names and targets."""
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
