"""A Git pack in memory: many small objects written at once, by one process of `git`."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

_TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
# Trees of the run cache are mostly ids, which hardly compress: level 1 takes five times as long to save a third of the
# bytes, and `git gc` packs trees as differences anyway.
_LEVELS = {"commit": 1, "tree": 0, "blob": 1, "tag": 1}


def format_pack(objects: Sequence[tuple[str, bytes]], algorithm: str) -> bytes:
    """A version 2 pack of whole objects (kind, bytes), in the order given."""
    parts = [b"PACK", (2).to_bytes(4, "big"), len(objects).to_bytes(4, "big")]
    for kind, data in objects:
        parts += [_header(_TYPES[kind], len(data)), zlib.compress(data, _LEVELS[kind])]
    body = b"".join(parts)
    return body + hashlib.new(algorithm, body, usedforsecurity=False).digest()


def _header(number: int, size: int) -> bytes:
    """Type and size: four bits of the size in the first byte, seven in each that follows."""
    header, byte = bytearray(), number << 4 | size & 15
    size >>= 4
    while size:
        header.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    header.append(byte)
    return bytes(header)
