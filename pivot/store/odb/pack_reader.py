"""Reading packs: version 2 with index version 2, deltas included (a `git repack` in the store may make some)."""

from __future__ import annotations

import mmap
import os
import struct
import time
import zlib
from threading import Lock

from pivot.errors import DamagedObject
from pivot.store.odb.objects import MOST_TREE
from pivot.store.odb.stat_cache import FINE_TICK

_MOST_DELTAS = 4096  # in a chain; Git makes at most 4095
KINDS = {1: b"commit", 2: b"tree", 3: b"blob", 4: b"tag"}
_OFFSET_DELTA, _NAMED_DELTA = 6, 7
_FANOUT = struct.Struct(">256I")
_HEADER = 8 + 1024  # bytes of an index before the first id


class Pack:
    """One pack and its index, both mapped; ids are 20 raw bytes."""

    def __init__(self, index: str) -> None:
        self.path = index.removesuffix(".idx") + ".pack"
        self._index = _map(index)
        self._data: mmap.mmap | None = None
        if self._index[:8] != b"\377tOc\0\0\0\2" or len(self._index) < _HEADER + 40:
            raise DamagedObject("this pack index cannot be read", where=index)
        self._fanout = (0, *_FANOUT.unpack_from(self._index, 8))
        self.count = self._fanout[256]
        if len(self._index) < _HEADER + self.count * 28 + 40:
            raise DamagedObject("this pack index is cut off", where=index)

    def find(self, oid: bytes) -> int | None:
        """The offset of an object in the pack, or None."""
        low, high = self._fanout[oid[0]], self._fanout[oid[0] + 1]
        index = self._index
        while low < high:
            middle = (low + high) // 2
            at = _HEADER + middle * 20
            found = index[at : at + 20]
            if found == oid:
                return self._offset(middle)
            if found < oid:
                low = middle + 1
            else:
                high = middle
        return None

    def ids(self) -> list[str]:
        """The ids of all its objects."""
        raw = self._index[_HEADER : _HEADER + self.count * 20]
        return [raw[at : at + 20].hex() for at in range(0, len(raw), 20)]

    def header(self, offset: int) -> tuple[bytes, int]:
        """Kind and size of the object at `offset`."""
        try:
            kind, size, _ = self._entry(offset)
        except IndexError as error:
            raise self._damage() from error
        if kind in KINDS:
            return KINDS[kind], size
        resolved, data = self.read(offset)
        return resolved, len(data)

    def read(self, offset: int) -> tuple[bytes, bytes]:
        """Kind and bytes of the object at `offset`.

        Raises:
            DamagedObject: the pack cannot be read there. Whether it is the right object is for the caller to check.
        """
        try:
            return self._resolve(offset)
        except (IndexError, struct.error) as error:
            raise self._damage() from error

    def _resolve(self, offset: int) -> tuple[bytes, bytes]:
        deltas: list[bytes] = []
        kind, size, at = self._entry(offset)
        while kind not in KINDS:
            base, at = self._base(kind, offset, at)
            if len(deltas) == _MOST_DELTAS:
                raise self._damage()  # a circle of names, or a chain that Git does not make
            deltas.append(self._inflate(at, size))
            offset = base
            kind, size, at = self._entry(offset)
        data = self._inflate(at, size)
        for delta in reversed(deltas):
            data = _apply(data, delta)
        return KINDS[kind], data

    def _offset(self, position: int) -> int:
        at = _HEADER + self.count * 24 + position * 4
        (offset,) = struct.unpack_from(">I", self._index, at)
        if not offset & 0x80000000:
            return int(offset)
        at = _HEADER + self.count * 28 + (offset & 0x7FFFFFFF) * 8
        if at + 8 > len(self._index):
            raise self._damage()
        return int(struct.unpack_from(">Q", self._index, at)[0])

    @property
    def data(self) -> mmap.mmap:
        if self._data is None:
            self._data = _map(self.path)
        return self._data

    def _entry(self, offset: int) -> tuple[int, int, int]:
        """Kind, size, and where the rest of the entry begins."""
        data = self.data
        if not 12 <= offset < len(data) - 20:
            raise self._damage()
        byte = data[offset]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            offset += 1
            byte = data[offset]
            size |= (byte & 0x7F) << shift
            shift += 7
        if kind not in KINDS and kind not in (_OFFSET_DELTA, _NAMED_DELTA):
            raise self._damage()
        return kind, size, offset + 1

    def _base(self, kind: int, offset: int, at: int) -> tuple[int, int]:
        """Where the base of a delta is, and where the delta's own bytes begin."""
        if kind == _NAMED_DELTA:
            base = self.find(self.data[at : at + 20])
            if base is None:
                raise self._damage()
            return base, at + 20
        byte = self.data[at]
        back = byte & 0x7F
        while byte & 0x80:
            at += 1
            byte = self.data[at]
            back = ((back + 1) << 7) | (byte & 0x7F)
        return offset - back, at + 1

    def _inflate(self, at: int, size: int) -> bytes:
        if size > MOST_TREE:  # larger than anything in a store, as is what a delta may make or come from
            raise self._damage()
        # A stored (incompressible) entry is a little longer than its bytes; 64 KiB blocks cost 5 bytes each.
        end = at + size + (size >> 10) + 128
        try:
            stream = zlib.decompressobj()
            data = stream.decompress(self.data[at:end], size + 1)
        except zlib.error as error:
            raise self._damage() from error
        if len(data) != size or not stream.eof:
            raise self._damage()
        return data

    def _damage(self) -> DamagedObject:
        return DamagedObject("this pack is damaged", where=self.path)


class Packs:
    """All packs of one `objects/pack` folder; the one that was useful last is asked first."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._packs: list[Pack] = []
        self._favourite: tuple[Pack, ...] = ()
        self._seen: set[str] = set()
        self._stamp = -1
        self._generation = 0  # counts refreshes: another thread's counts as much as this one's
        self._lock = Lock()

    def find(self, oid: str) -> tuple[Pack, int] | None:
        """The pack that has an object, and where."""
        raw = bytes.fromhex(oid)
        generation = self._generation
        found = self._find(raw)
        if found is None:
            self._refresh()
            if generation != self._generation:
                found = self._find(raw)
        return found

    def all(self) -> list[Pack]:
        self._refresh()
        return list(self._packs)

    def forget(self) -> None:
        """Look again at what is there: a pack that was known is gone."""
        with self._lock:
            self._packs, self._favourite, self._seen, self._stamp = [], (), set(), -1

    def _find(self, raw: bytes) -> tuple[Pack, int] | None:
        for pack in (*self._favourite, *self._packs):
            offset = pack.find(raw)
            if offset is not None:
                self._favourite = (pack,)
                return pack, offset
        return None

    def _refresh(self) -> None:
        """Look for new packs."""
        with self._lock:
            try:
                stamp = os.stat(self.folder).st_mtime_ns
            except FileNotFoundError:
                return
            if stamp == self._stamp and stamp < time.time_ns() - FINE_TICK:
                return  # within one tick of the clock a second pack leaves no trace
            new = [name for name in os.listdir(self.folder) if name.endswith(".idx") and name not in self._seen]
            opened = (_open(f"{self.folder}/{name}") for name in new)
            self._packs = [*(pack for pack in opened if pack is not None), *self._packs]
            self._seen.update(new)
            self._stamp = stamp
            self._generation += bool(new)


def _open(index: str) -> Pack | None:
    """A pack that is gone, or whose index cannot be read, has no objects that anybody could find: they are missing."""
    try:
        pack = Pack(index)
    except (DamagedObject, FileNotFoundError):
        return None
    return pack if os.path.exists(pack.path) else None


def _map(path: str) -> mmap.mmap:
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise DamagedObject("this file is empty", where=path)
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _apply(base: bytes, delta: bytes) -> bytes:
    """The object that a delta makes from its base."""
    source_size, at = _varint(delta, 0)
    target_size, at = _varint(delta, at)
    if target_size > MOST_TREE:
        raise DamagedObject("a delta in a pack of the store makes more bytes than an object has")
    left = target_size
    parts = []
    while at < len(delta):
        code = delta[at]
        at += 1
        if code & 0x80:
            start, size, at = _copy(delta, code, at)
            parts.append(base[start : start + size])
        else:
            parts.append(delta[at : at + code])
            at += code
        left -= len(parts[-1])
        if left < 0:  # before what it makes fills the memory
            break
    data = b"".join(parts)
    if len(base) != source_size or len(data) != target_size:
        raise DamagedObject("a delta in a pack of the store does not fit its base")
    return data


def _copy(delta: bytes, code: int, at: int) -> tuple[int, int, int]:
    values = [0] * 7
    for bit in range(7):
        if code >> bit & 1:
            values[bit] = delta[at]
            at += 1
    start = int.from_bytes(bytes(values[:4]), "little")
    return start, int.from_bytes(bytes(values[4:]), "little") or 0x10000, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
