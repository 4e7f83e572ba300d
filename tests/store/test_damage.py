"""Damaged bytes, full disks, stores that may only be read: said plainly, never served, and mended by the next put."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pivot.errors import DamagedObject, InputError, MissingObject, StoreError
from pivot.store import Object, StatCache, Store
from pivot.store.odb.layout import remove
from tests.store.shelf import BIG, Shelf, Tree, age, git, many, snapshot

Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "a flipped bit": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 16]) + data[len(data) // 2 + 1 :]
    ),
}


def damage_file(path: Path, damage: Damage) -> None:
    """Change a file as a failing disk does: without a new mtime."""
    stat = path.stat()
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    path.chmod(0o444)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def assert_damage_is_found_and_mended(shelf: Shelf, held: Object, source: Path, content: bytes | Tree) -> None:
    target = shelf.work / "restored"
    assert shelf.reopened().verify(held) != []
    with pytest.raises((DamagedObject, MissingObject)):
        shelf.reopened().restore(held, target, shelf.fresh())
    assert not target.exists()
    assert not shelf.reopened().has(held)
    assert shelf.reopened().put(source, shelf.fresh()) == held
    assert shelf.reopened().verify(held) == []
    shelf.reopened().restore(held, target, shelf.fresh())
    assert snapshot(target) == content


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_loose_object(plain: Shelf, damage: Damage) -> None:
    path = plain.make("out", b"a small file, " * 50)
    held = plain.put(path)
    damage_file(plain.store.path / "objects" / held.id[:2] / held.id[2:], damage)
    assert_damage_is_found_and_mended(plain, held, path, b"a small file, " * 50)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_pack(plain: Shelf, damage: Damage) -> None:
    path = plain.make("out", many(120))
    held = plain.put(path)
    (pack,) = (plain.store.path / "objects/pack").glob("*.pack")
    damage_file(pack, damage)
    assert_damage_is_found_and_mended(plain, held, path, many(120))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_pack_index(plain: Shelf, damage: Damage) -> None:
    path = plain.make("out", many(120))
    held = plain.put(path)
    (index,) = (plain.store.path / "objects/pack").glob("*.idx")
    damage_file(index, damage)
    assert plain.reopened().verify(held) != []
    assert plain.reopened().put(path, plain.fresh()) == held
    assert plain.reopened().verify(held) == []


@pytest.mark.parametrize("part", ["objects", "large", "HEAD", "objects/pack", "objects/pack/*.pack", "tmp", ""])
def test_parts_of_the_store_that_somebody_removed_are_missing_until_they_are_stored_again(
    plain: Shelf, part: str
) -> None:
    path = plain.make("out", {**many(120), "big": BIG})
    held = plain.put(path)
    (plain.store.path / "origins").mkdir()  # it serves as a remote too
    (plain.store.path / "collecting").touch()
    for found in plain.store.path.glob(part) if part else [plain.store.path]:
        remove(str(found))
    assert plain.reopened().has(held) == (part in ("HEAD", "tmp"))
    plain.reopened().prune([held])
    assert plain.reopened().put(path, plain.fresh()) == held
    plain.assert_whole(held)


def test_a_folder_that_holds_something_else_is_not_made_a_store(plain: Shelf, tmp_path: Path) -> None:
    (tmp_path / "mine/tmp").mkdir(parents=True)
    (tmp_path / "mine/file").touch()
    with pytest.raises(StoreError, match="is not a store of outputs"):
        Store.open(tmp_path / "mine").put(plain.make("out", b"1"), plain.stats)
    (tmp_path / "mine/file").rename(tmp_path / "mine/lost+found")
    Store.open(tmp_path / "mine").put(plain.make("out", b"1"), plain.stats)


def test_a_large_file_of_the_wrong_size_is_missing(plain: Shelf) -> None:
    path = plain.make("out", BIG)
    held = plain.put(path)
    stored = plain.store.large_path(held.id)
    assert stored is not None
    damage_file(stored, DAMAGES["cut off"])
    assert_damage_is_found_and_mended(plain, held, path, BIG)


def test_a_flipped_bit_in_a_large_file_is_found_by_verify_and_by_copying(tmp_path: Path, plain: Shelf) -> None:
    path = plain.make("out", BIG)
    copying = Shelf(plain.work, Store.open(plain.store.path, link="copy"), plain.stats)
    held = copying.put(path)
    stored = copying.store.large_path(held.id)
    assert stored is not None
    damage_file(stored, DAMAGES["a flipped bit"])
    assert_damage_is_found_and_mended(copying, held, path, BIG)


def test_an_edit_through_a_hard_link_is_saved_and_the_old_object_is_missing(linked: Shelf) -> None:
    path = linked.make("out", BIG)
    held = linked.put(path)
    assert path.stat().st_nlink == 2
    assert not path.stat().st_mode & 0o222
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"EDITED")
    edited = linked.store.identify(path, linked.stats)
    assert not linked.reopened().has(held)
    assert linked.reopened().has(edited)
    assert linked.reopened().verify(edited) == []
    assert linked.store.unknown(path, linked.stats) == [str(path)], "an edit that is to be logged"
    with pytest.raises(MissingObject):
        linked.reopened().restore(held, path, linked.stats)


def test_touching_a_hard_linked_file_loses_nothing(linked: Shelf) -> None:
    path = linked.make("out", BIG)
    held = linked.put(path)
    os.utime(path)
    assert linked.reopened().has(held)
    assert linked.reopened().verify(held) == []


def test_a_store_that_may_only_be_read_still_serves(linked: Shelf, tmp_path: Path) -> None:
    held = linked.put(linked.make("out", {**many(120), "big": BIG}))
    with read_only(linked.store.path):
        store = linked.reopened()
        store.restore(held, tmp_path / "copy", linked.fresh())
        assert store.identify(tmp_path / "copy", linked.fresh()) == held
        with pytest.raises(StoreError, match="cannot be written"):
            store.put(linked.make("new", b"new"), linked.fresh())


class read_only:  # noqa: N801 - reads as a statement
    """A bind mount that forbids writing, root too; permissions where mounting is not allowed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        if os.geteuid() != 0:
            self.path.chmod(0o555)
            return
        for options in (["--bind", str(self.path), str(self.path)], ["-o", "remount,ro,bind", str(self.path)]):
            if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
                pytest.skip("this root may not mount")

    def __exit__(self, *_: object) -> None:
        if os.geteuid() != 0:
            self.path.chmod(0o755)
        else:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)  # packs are still mapped


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of two MiB."""
    path = tmp_path / "tiny"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("content", [BIG * 3, {f"f{n}": os.urandom(20_000) for n in range(150)}], ids=["large", "pack"])
def test_a_full_disk_during_put_leaves_a_sound_store(plain: Shelf, tiny: Path, content: bytes | Tree) -> None:
    shelf = Shelf(plain.work, Store.open(tiny / "store.git", link="copy"), plain.stats)
    small = shelf.put(shelf.make("small", b"small"))
    with pytest.raises(StoreError, match="No space left"):
        shelf.put(shelf.make("out", content))
    shelf.assert_whole(small)
    shelf.assert_nothing_left_over()
    shelf.assert_whole(shelf.put(shelf.make("next", b"next")))


def test_a_full_disk_during_restore_leaves_the_old_file(plain: Shelf, tiny: Path) -> None:
    held = plain.put(plain.make("out", BIG * 3))
    (tiny / "out").write_bytes(b"old")
    plain.put(tiny / "out")
    with pytest.raises(StoreError, match="No space left"):
        plain.restore(held, tiny / "out")
    assert (tiny / "out").read_bytes() == b"old"
    assert [path.name for path in tiny.iterdir()] == ["out"]


def test_a_full_disk_for_the_stat_cache_costs_only_time(plain: Shelf, tiny: Path) -> None:
    cache = StatCache.open(tiny / "stat")
    held = plain.store.put(plain.make("out", many(300)), cache)
    (tiny / "filler").write_bytes(b"x" * (2 << 20))
    cache.save()
    assert plain.store.identify(plain.work / "out", StatCache.open(tiny / "stat")) == held


def test_a_file_that_changes_while_it_is_read_is_refused(plain: Shelf) -> None:
    path = plain.make("out", BIG * 40)
    stop = threading.Event()

    def write_on() -> None:
        with path.open("r+b") as file:
            while not stop.is_set():
                file.seek(0)
                file.write(os.urandom(16))
                file.flush()
                time.sleep(0.001)

    writer = threading.Thread(target=write_on)
    writer.start()
    time.sleep(0.02)
    try:
        with pytest.raises(InputError, match="changed while"):
            plain.put(path)
    finally:
        stop.set()
        writer.join()
    age(path)
    plain.assert_whole(plain.put(path))


def test_deltas_of_a_repacked_store_are_read(plain: Shelf) -> None:
    """Nobody needs to repack a store, but somebody will."""
    text = b"".join(b"line %d of a long file\n" % number for number in range(3000))
    held = plain.put(plain.make("out", {f"v{n}": text + b"%d" % n for n in range(40)}))
    store = str(plain.store.path)
    ids = "\n".join(entry.oid for entry in plain.store.entries(held.id)) + f"\n{held.id}\n"
    packing = ["git", "--git-dir", store, "pack-objects", "-q", "--delta-base-offset", f"{store}/objects/pack/pack"]
    subprocess.run(packing, input=ids, text=True, check=True, capture_output=True)
    listing = git("--git-dir", store, "verify-pack", "-v", *map(str, (plain.store.path / "objects/pack").glob("*.idx")))
    assert "chain length" in listing.stdout
    for loose in (plain.store.path / "objects").glob("??/*"):
        loose.unlink()
    assert plain.reopened().verify(held) == []


def test_a_file_at_the_place_of_the_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.git").write_text("not a folder")
    with pytest.raises(StoreError, match="but a file"):
        Store.open(tmp_path / "store.git")
