"""Canonical JSON: one byte string for one value, on every machine and Python version.

Sorted keys, no spaces, UTF-8, one newline at the end; floats as `{"f": float.hex()}`, so that no digit is lost.
A mapping whose only key is `f` is written as `{"f": {"d": value}}`, so that it cannot be taken for a float.
"""

from __future__ import annotations

from json import JSONEncoder, loads  # bound here: a user's import may replace them
from typing import Any, NoReturn

_encode = JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_PLAIN = frozenset({str, int, bool, type(None)})
_KEYS = frozenset({str})


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
    """The inverse of `canonical_json`; tuples come back as lists.

    Raises:
        ValueError: these bytes are nothing that `canonical_json` writes.
    """
    try:
        return loads(data.decode("utf-8", "surrogatepass"), object_hook=_with_float, parse_constant=_refuse_constant)
    except (TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError(f"it is not canonical JSON: {error!r}") from error


def _without_floats(value: Any) -> Any:
    """What JSON can write as it is; a part that it can is not copied."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return _mapping_without_floats(value)
    if isinstance(value, list | tuple):
        return value if _PLAIN.issuperset(map(type, value)) else [_without_floats(item) for item in value]
    return {"f": value.hex()} if isinstance(value, float) else value


def _mapping_without_floats(value: dict[str, Any]) -> dict[str, Any]:
    if not _KEYS.issuperset(map(type, value)) and not all(isinstance(key, str) for key in value):
        raise TypeError(f"a key that is not a string in {value!r}")
    plain = value
    if not _PLAIN.issuperset(map(type, value.values())):
        plain = {key: _without_floats(item) for key, item in value.items()}
    return {"f": {"d": plain["f"]}} if len(plain) == 1 and "f" in plain else plain


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not canonical JSON")


def _with_float(mapping: dict[str, Any]) -> Any:
    if mapping.keys() != {"f"}:
        return mapping
    held = mapping["f"]
    return float.fromhex(held) if isinstance(held, str) else {"f": held["d"]}
