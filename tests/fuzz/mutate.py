"""Inputs made from valid ones: parts cut, doubled, exchanged, numbers and names made strange; and plain noise."""

from __future__ import annotations

import json
import marshal
import random
import zlib
from typing import Any

import xxhash

_STATS = b"pivot stat cache 1\n"
_WORDS = [b"", b"\0", b"\n", b"-1", b"9" * 20, b"1e999", b"NaN", b"null", b"[]", b"{}", b'"', b"%1B[31m", b"\x1b[2J"]
_WORDS += [b"../../x", b".git/config", b"\xff\xfe", b"[" * 3000, b"0" * 40, b" ", b"=", b"true"]
_WORDS += [b'{"f":"0x1p99999"}']
_VALUES: list[object] = [None, True, -1, 0, 1 << 70, 1e300, "", "\x1b[31m", "../x", ".git/x", "a" * 40]
_VALUES += [[], {}, [[]], {"f": 1}, {"d": {}}]


def mutated(samples: tuple[bytes, ...], chance: random.Random) -> bytes:
    """One input; every tenth is noise, every third of a format in JSON has its structure changed."""
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.choice([0, 1, 7, 40, 300]))
    data = chance.choice(samples)
    if kind < 0.45 and (changed := _structure(data, chance)) is not None:
        return changed
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        data = _step(data, samples, chance)
    return _checksum(data, chance)


def _step(data: bytes, samples: tuple[bytes, ...], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    to = min(len(data), at + chance.choice([0, 1, 4, 20, 40]))
    other = chance.choice(samples)
    match chance.randrange(7):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[to:]
        case 2:
            return data[:at] + chance.choice(_WORDS) + data[to:]
        case 3:
            return data[:to] + data[at:]
        case 4:
            return data[:at] + other[chance.randrange(len(other) + 1) :]
        case 5:
            return data[:at] + chance.randbytes(to - at) + data[to:]
    if at == len(data):
        return data + b"\0"
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _structure(data: bytes, chance: random.Random) -> bytes | None:
    """JSON, also behind a journal's checksum, with a value at some place replaced, removed or added."""
    if data.startswith(_STATS):
        tables = _lists(marshal.loads(data[len(_STATS) + 4 :]))
        _change(tables, chance)
        body = marshal.dumps(_tuples(tables), 2)
        return _STATS + zlib.crc32(body).to_bytes(4, "big") + body
    start = data.find(b"{")
    try:
        value = json.loads(data[start:]) if start in (0, 17) else None
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    _change(value, chance)
    body = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return xxhash.xxh3_64_hexdigest(body).encode() + b" " + body + b"\n" if start else body + b"\n"


def _lists(value: Any) -> Any:
    """The same with lists instead of tuples, to be changed in place."""
    if isinstance(value, dict):
        return {key: _lists(below) for key, below in value.items()}
    return [_lists(below) for below in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(below) for key, below in value.items()}
    return tuple(_tuples(below) for below in value) if isinstance(value, list) else value


def _change(value: Any, chance: random.Random) -> None:
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = chance.choice(keys)
        below = value[key]
        if isinstance(below, dict | list) and below and chance.random() < 0.7:
            value = below
            continue
        if chance.random() < 0.2:
            del value[key]
        elif chance.random() < 0.1 and isinstance(value, dict):
            value[chance.choice(["", "x", "..", "\x1b"])] = below
        else:
            value[key] = chance.choice(_VALUES)
        return


def _checksum(data: bytes, chance: random.Random) -> bytes:
    """Half of the text caches get the right checksum again, so that what is behind it is read.

    Not those in `marshal`: a length that lies makes it reserve gigabytes. Nothing but a checksum guards it from damage,
    so with a right one they get values that are strange, and are encoded well.
    """
    if chance.random() < 0.5:
        return data
    if data.startswith(b"pivot noted 1 ") and b"\n" in data:
        rest = data.partition(b"\n")[2]
        return b"pivot noted 1 " + xxhash.xxh3_128_hexdigest(rest).encode() + b"\n" + rest
    return data
