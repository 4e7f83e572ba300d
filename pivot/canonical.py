"""Canonical JSON: one byte string for one value, on every machine and Python version.

Sorted keys, no spaces, UTF-8, one newline at the end; floats as `{"f": float.hex()}`, so that no digit is lost.
A mapping whose only key is `f` is written as `{"f": {"d": value}}`, so that it cannot be taken for a float.
"""

from __future__ import annotations

from json import dumps, loads  # bound here: a user's import may replace json.dumps
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Encode `value` (None, bool, int, float, str, list, tuple, dict with string keys).

    Raises:
        TypeError: for any other type.
    """
    text = dumps(_without_floats(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def parse_canonical(data: bytes) -> Any:
    """The inverse of `canonical_json`; tuples come back as lists."""
    return loads(data.decode("utf-8", "surrogatepass"), object_hook=_with_float)


def _without_floats(value: Any) -> Any:
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
