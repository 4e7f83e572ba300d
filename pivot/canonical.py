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
    return plain_json(value if _is_plain(value) else _without_floats(value))


def plain_json(value: Any) -> bytes:
    """The same for a value that is known to hold no float, which need not be looked for then."""
    text = _encode(value)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def parse_canonical(data: bytes) -> Any:
    """The inverse of `canonical_json`; tuples come back as lists."""
    return loads(data.decode("utf-8", "surrogatepass"), object_hook=_with_float)


def _is_plain(value: Any) -> bool:
    """Whether JSON writes it as it is: mostly so, and then it need not be copied."""
    kind = type(value)
    if kind is dict:
        if "f" in value and len(value) == 1:
            return False
        for key, item in value.items():
            if type(key) is not str or not (type(item) is str or _is_plain(item)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(type(item) is str or _is_plain(item) for item in value)
    return kind is str or kind is int or kind is bool or value is None


def _without_floats(value: Any) -> Any:
    if _is_plain(value):
        return value
    if isinstance(value, float):
        return {"f": value.hex()}
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"a key that is not a string in {value!r}")
        plain = {key: _without_floats(item) for key, item in value.items()}
        return {"f": {"d": plain["f"]}} if plain.keys() == {"f"} else plain
    if isinstance(value, list | tuple):
        return [_without_floats(item) for item in value]
    return value


def _with_float(mapping: dict[str, Any]) -> Any:
    if mapping.keys() != {"f"}:
        return mapping
    held = mapping["f"]
    return float.fromhex(held) if isinstance(held, str) else {"f": held["d"]}
