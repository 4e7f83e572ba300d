"""Canonical JSON: one byte string for one value, on every machine and Python version.

Sorted keys, no spaces, UTF-8, one newline at the end; floats as `{"f": float.hex()}`, so that no digit is lost.
A mapping whose only key is `f` is written as `{"f": {"d": value}}`, so that it cannot be taken for a float.
"""

from __future__ import annotations

from json import JSONEncoder, loads  # bound here: a user's import may replace them
from typing import Any

_encode = JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical_json(value: Any) -> bytes:
    """Encode `value` (None, bool, int, float, str, list, tuple, dict with string keys).

    Raises:
        TypeError: for any other type.
    """
    return plain_json(_without_floats(value))


def plain_json(value: Any) -> bytes:
    """The same for a value that is known to hold no float, which need not be looked for then."""
    return _encode(value).encode("utf-8", "surrogatepass") + b"\n"


def parse_canonical(data: bytes) -> Any:
    """The inverse of `canonical_json`; tuples come back as lists."""
    return loads(data.decode("utf-8", "surrogatepass"), object_hook=_with_float)


def _without_floats(value: Any) -> Any:
    """What JSON can write as it is; a part that it can is not copied."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, dict):
        return _mapping_without_floats(value)
    if isinstance(value, list | tuple):
        return _list_without_floats(value)
    return {"f": value.hex()} if isinstance(value, float) else value


def _mapping_without_floats(value: dict[str, Any]) -> dict[str, Any]:
    plain = value
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"a key that is not a string in {value!r}")
        if type(item) is not str and (held := _without_floats(item)) is not item:
            plain = dict(value) if plain is value else plain
            plain[key] = held
    return {"f": {"d": plain["f"]}} if len(plain) == 1 and "f" in plain else plain


def _list_without_floats(value: list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    plain: list[Any] | None = None
    for at, item in enumerate(value):
        if type(item) is not str and (held := _without_floats(item)) is not item:
            plain = list(value) if plain is None else plain
            plain[at] = held
    return value if plain is None else plain


def _with_float(mapping: dict[str, Any]) -> Any:
    if mapping.keys() != {"f"}:
        return mapping
    held = mapping["f"]
    return float.fromhex(held) if isinstance(held, str) else {"f": held["d"]}
