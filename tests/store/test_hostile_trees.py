"""Trees and blobs made to hurt: read once, bounded in depth and size, by every reader of a store."""

from __future__ import annotations

import subprocess
import sys
import zlib

import pytest

from pivot.errors import DamagedObject, UnsafePath
from pivot.git.odb.backend import BLOB, TREE, TreeEntry
from pivot.git.output_tree import encode_tree
from pivot.store import Object
from pivot.store.odb.objects import MOST_DEPTH, object_id
from tests.store.shelf import Shelf


def loose(shelf: Shelf, kind: bytes, data: bytes) -> str:
    """Put an object into a store as anybody could who may push to it."""
    oid = object_id(kind, data)
    path = shelf.store.path / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zlib.compress(b"%s %d\0" % (kind, len(data)) + data))
    return oid


def nested(shelf: Shelf, depth: int, width: int = 1, leaf: str = "leaf") -> Object:
    oid = loose(shelf, b"blob", b"leaf")
    entry = TreeEntry(leaf, BLOB, oid)
    for _ in range(depth):
        rows = [entry] if entry.mode == BLOB else [TreeEntry(f"d{n}", TREE, entry.oid) for n in range(width)]
        entry = TreeEntry("d", TREE, loose(shelf, b"tree", encode_tree(rows)))
    return Object(entry.oid, TREE, 0)


def test_eight_levels_of_ten_equal_subtrees_are_read_once(plain: Shelf) -> None:
    held = nested(plain, 9, 10)
    assert not plain.reopened().has(held)  # a hundred million files are more than any output has
    assert plain.reopened().verify(held) == []
    plain.reopened().sizes(held, {})
    assert len(plain.reopened().exchange().closure([]).members) == 0


def test_a_million_places_of_one_file_count_as_a_million(plain: Shelf) -> None:
    held = nested(plain, 7, 10)
    store = plain.reopened()
    assert store.has(held)
    assert store.find(held.id, "d0").size == 100_000 * len(b"leaf")  # type: ignore[union-attr]


@pytest.mark.parametrize("depth", [MOST_DEPTH + 2, 3000])
def test_more_folders_in_each_other_than_allowed_are_damage(plain: Shelf, depth: int) -> None:
    held = nested(plain, depth)
    assert not plain.reopened().has(held)
    assert plain.reopened().verify(held) != []
    with pytest.raises(DamagedObject, match="levels"):
        plain.reopened().find(held.id, "d0")
    plain.reopened().sizes(held, {})


def test_as_many_folders_as_allowed_are_read_and_written(plain: Shelf) -> None:
    plain.put(plain.make("first", b"so that there is a store"))
    held = nested(plain, MOST_DEPTH)
    assert plain.reopened().has(held)
    assert plain.reopened().verify(held) == []
    deep = plain.work / "deep"
    path = deep
    for _ in range(MOST_DEPTH + 1):
        path = path / "d"
    path.mkdir(parents=True)
    with pytest.raises(UnsafePath, match="in each other"):
        plain.put(deep)


READ = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
from pivot.errors import DamagedObject
from pivot.store import Object, StatCache, Store
store = Store.open(Path(sys.argv[1]))
held = Object(sys.argv[2], 0o100644, 0)
try:
    store.read(held.id)
except DamagedObject as error:
    sys.stdout.write(error.what)
assert not store.has(held)
"""


def test_a_blob_of_300_mebibytes_of_zeros_is_refused_by_its_header(plain: Shelf) -> None:
    plain.put(plain.make("first", b"so that there is a store"))
    oid = loose(plain, b"blob", bytes(300 << 20))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(plain.store.path), oid],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "314,572,800 bytes" in done.stdout) == (0, True), done.stderr
