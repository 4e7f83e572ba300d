"""Writing new small objects: one pack when there are many, loose objects when there are few.

A pack is written as a stream: an object is read, hashed and packed once, and only its id, checksum and place are kept.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from array import array
from collections.abc import Set

from msgspec import Struct

from pivot.files import fsync_dir, remove_quietly, temp_path, write_all
from pivot.store.odb import crash_points
from pivot.store.odb.layout import protect
from pivot.store.odb.loose import LooseObjects
from pivot.store.odb.objects import object_id

MANY = 100  # objects; from here on a pack
_MUCH = 16 << 20  # bytes kept in memory at most before a pack is begun
_CODES = {b"tree": 2, b"blob": 3}
_KINDS = {2: b"tree", 3: b"blob"}
_BUFFER = 1 << 20


class PackEntry(Struct, frozen=True):
    """An object as it stands in a pack."""

    oid: str
    packed: bytes


def encode(kind: bytes, data: bytes, oid: str | None = None) -> PackEntry:
    """Pack one object; bytes that do not shrink are stored, which is ten times as fast to write and to read."""
    packed = zlib.compress(data, 1) if _worth_packing(data) else _stored(data)
    return PackEntry(oid or object_id(kind, data), _entry_header(_CODES[kind], len(data)) + packed)


class NewObjects:
    """Collects new objects and puts them into the store all at once: from `many` on as a pack.

    Those in `apart` become loose in any case.
    """

    def __init__(self, store: str, loose: LooseObjects, apart: Set[str], many: int = MANY) -> None:
        self._many = many
        self._store = store
        self._loose = loose
        self._apart = apart
        self._singles: list[PackEntry] = []
        self._few: list[PackEntry] = []
        self._bytes = 0
        self._pack: _PackFile | None = None
        self._ids: set[str] = set()

    def __contains__(self, oid: str) -> bool:
        return oid in self._ids

    def add(self, entry: PackEntry) -> None:
        """Add an object, once."""
        if entry.oid in self._ids:
            return
        self._ids.add(entry.oid)
        if entry.oid in self._apart:
            self._singles.append(entry)
            return
        if self._pack is not None:
            self._pack.add(entry)
            return
        self._few.append(entry)
        self._bytes += len(entry.packed)
        if len(self._few) >= self._many or self._bytes >= _MUCH:
            self._pack = _PackFile(self._store)
            for held in self._few:
                self._pack.add(held)
            self._few = []

    def finish(self) -> None:
        """Make all of them visible; they are on the disk then."""
        if self._pack is not None:
            self._pack.finish()
        self._singles += self._few
        if self._singles:
            self._loose.write((entry.oid, *_unpack(entry.packed)) for entry in self._singles)
        self._few, self._singles, self._pack = [], [], None

    def abandon(self) -> None:
        """Forget what was not finished."""
        if self._pack is not None:
            self._pack.abandon()
        self._few, self._singles, self._pack = [], [], None


class _PackFile:
    """A pack being written under a temporary name."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._folder = f"{store}/objects/pack"
        self._temp = temp_path(f"{store}/tmp")
        self._descriptor = os.open(self._temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        self._ids: list[bytes] = []
        self._checks = array("L")
        self._offsets = array("Q")
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._at = 12
        try:
            write_all(self._descriptor, b"PACK\0\0\0\2\0\0\0\0")
        except BaseException:
            self.abandon()
            raise

    def add(self, entry: PackEntry) -> None:
        self._ids.append(bytes.fromhex(entry.oid))
        self._checks.append(zlib.crc32(entry.packed))
        self._offsets.append(self._at)
        self._at += len(entry.packed)
        self._buffer.append(entry.packed)
        self._buffered += len(entry.packed)
        if self._buffered >= _BUFFER:
            self._flush()
            crash_points.point("pack:streaming")

    def finish(self) -> None:
        self._flush()
        index_temp = temp_path(f"{self._store}/tmp")
        try:
            trailer = self._seal()
            crash_points.point("pack:written")
            _write_index(index_temp, self._ids, self._checks, self._offsets, trailer)
            crash_points.point("pack:indexed")
            name = f"{self._folder}/pack-{trailer.hex()}"
            protect(self._store, self._temp)
            protect(self._store, index_temp)
            os.replace(self._temp, f"{name}.pack")
            crash_points.point("pack:renamed")
            os.replace(index_temp, f"{name}.idx")  # an index makes its pack visible, so it comes last
            fsync_dir(self._folder)
        except BaseException:
            remove_quietly(index_temp)
            self.abandon()
            raise

    def abandon(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        remove_quietly(self._temp)

    def _flush(self) -> None:
        write_all(self._descriptor, b"".join(self._buffer))
        self._buffer, self._buffered = [], 0

    def _seal(self) -> bytes:
        """Fill in how many objects there are, now that it is known, and append the checksum over everything."""
        os.pwrite(self._descriptor, struct.pack(">I", len(self._ids)), 8)
        digest = hashlib.sha1(usedforsecurity=False)
        at = 0
        while block := os.pread(self._descriptor, _BUFFER, at):
            digest.update(block)
            at += len(block)
        write_all(self._descriptor, digest.digest())
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        return digest.digest()


def _write_index(path: str, ids: list[bytes], checks: array[int], offsets: array[int], trailer: bytes) -> None:
    order = sorted(range(len(ids)), key=ids.__getitem__)
    fanout, position = [], 0
    for first in range(256):
        while position < len(order) and ids[order[position]][0] <= first:
            position += 1
        fanout.append(position)
    far = [offsets[number] for number in order if offsets[number] >= 0x80000000]
    places, seen = [], 0
    for number in order:
        is_far = offsets[number] >= 0x80000000
        places.append(0x80000000 | seen if is_far else offsets[number])
        seen += is_far
    body = b"".join(
        [
            b"\377tOc\0\0\0\2",
            struct.pack(">256I", *fanout),
            b"".join(ids[number] for number in order),
            struct.pack(f">{len(order)}I", *(checks[number] for number in order)),
            struct.pack(f">{len(order)}I", *places),
            struct.pack(f">{len(far)}Q", *far),
            trailer,
        ]
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        write_all(descriptor, body + hashlib.sha1(body, usedforsecurity=False).digest())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry_header(code: int, size: int) -> bytes:
    first, size = code << 4 | size & 15, size >> 4
    header = bytearray()
    while size:
        header.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    header.append(first)
    return bytes(header)


def _unpack(packed: bytes) -> tuple[bytes, bytes]:
    kind, at = _KINDS[packed[0] >> 4 & 7], 0
    while packed[at] & 0x80:
        at += 1
    return kind, zlib.decompress(packed[at + 1 :])


_TEXT = bytes(range(128))


def _worth_packing(data: bytes) -> bool:
    """Guess from the share of bytes above 127: half in random, packed or encrypted bytes, a few per cent in text."""
    sample = data[:1024]
    return len(data) < 512 or len(sample.translate(None, _TEXT)) < 0.4 * len(sample)


def _stored(data: bytes) -> bytes:
    """A zlib stream of stored blocks, without the cost of setting up a compressor (50 us)."""
    parts = [b"\x78\x01"]
    for at in range(0, len(data), 65535):
        block = data[at : at + 65535]
        last = at + 65535 >= len(data)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(zlib.adler32(data).to_bytes(4, "big"))
    return b"".join(parts)
