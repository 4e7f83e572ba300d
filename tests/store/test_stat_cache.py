"""The stat cache may forget; it may never be wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.store import StatCache
from tests.store.shelf import Shelf, age, many

ID = "a" * 40


def remembered(path: Path, cache: StatCache) -> str | None:
    return cache.lookup(str(path), path.stat())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    age(path)
    return path


def learn(file: Path, cache: StatCache) -> None:
    cache.remember(str(file), file.stat(), ID, time.time_ns())


def test_what_was_remembered_is_known_to_the_next_command(file: Path, tmp_path: Path) -> None:
    cache = StatCache.open(tmp_path / "cache/stat")
    learn(file, cache)
    cache.save()
    assert remembered(file, StatCache.open(tmp_path / "cache/stat")) == ID


@pytest.mark.parametrize("change", ["write", "touch", "replace", "same size and mtime"])
def test_a_changed_file_is_not_known(file: Path, tmp_path: Path, change: str) -> None:
    cache = StatCache.open(tmp_path / "stat")
    learn(file, cache)
    stat = file.stat()
    time.sleep(0.03)
    if change == "write":
        file.write_bytes(b"123456")
    elif change == "touch":
        file.touch()
    elif change == "replace":
        (tmp_path / "other").write_bytes(b"54321")
        os.utime(tmp_path / "other", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        (tmp_path / "other").rename(file)
    else:
        file.write_bytes(b"54321")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert remembered(file, cache) is None


def test_bytes_read_in_the_tick_of_their_writing_are_not_trusted(tmp_path: Path) -> None:
    cache = StatCache.open(tmp_path / "stat")
    file = tmp_path / "file"
    file.write_bytes(b"1")
    cache.remember(str(file), file.stat(), ID, file.stat().st_mtime_ns + 1)
    assert remembered(file, cache) is None


def test_a_file_from_the_future_is_not_trusted(file: Path, tmp_path: Path) -> None:
    """As after the clock was set back."""
    cache = StatCache.open(tmp_path / "stat")
    os.utime(file, ns=(0, time.time_ns() + 3_600_000_000_000))
    learn(file, cache)
    assert remembered(file, cache) is None


def test_an_edit_of_equal_size_in_the_same_tick_is_seen(plain: Shelf) -> None:
    for round_ in range(20):
        path = plain.work / "out" / f"f{round_}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"old")
        plain.store.identify(plain.work / "out", plain.stats)
        first = plain.store.identify(path, plain.stats)
        path.write_bytes(b"new")
        assert plain.store.identify(path, plain.stats) != first
        assert plain.store.identify(plain.work / "out", plain.stats) == plain.store.identify(
            plain.work / "out", plain.fresh()
        )


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "a flipped bit": lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
    "another version": lambda data: data.replace(b"cache 1", b"cache 9"),
    "garbage": lambda data: os.urandom(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_an_empty_one(file: Path, tmp_path: Path, damage: str) -> None:
    cache = StatCache.open(tmp_path / "stat")
    learn(file, cache)
    cache.save()
    (tmp_path / "stat").write_bytes(DAMAGE[damage]((tmp_path / "stat").read_bytes()))
    again = StatCache.open(tmp_path / "stat")
    assert remembered(file, again) is None
    learn(file, again)
    again.save()
    assert remembered(file, StatCache.open(tmp_path / "stat")) == ID


def test_a_parent_absorbs_what_its_child_learned(plain: Shelf, tmp_path: Path) -> None:
    path, single = plain.make("out", many(20)), plain.make("single", b"1")
    child = StatCache.open(tmp_path / "stat")
    held, one = plain.store.put(path, child), plain.store.put(single, child)
    parent = StatCache.open(tmp_path / "stat")
    parent.absorb(child.delta())
    parent.save()
    fresh = StatCache.open(tmp_path / "stat")
    assert remembered(single, fresh) == one.id
    level = fresh.level(str(path))
    assert level is not None
    assert level[2] == held.id


def test_a_cache_that_learned_nothing_is_not_written(tmp_path: Path) -> None:
    StatCache.open(tmp_path / "stat").save()
    assert not (tmp_path / "stat").exists()


def test_a_cache_that_cannot_be_written_costs_only_time(file: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_bytes(b"a file where a folder should be")
    cache = StatCache.open(tmp_path / "blocked/stat")
    learn(file, cache)
    cache.save()
    assert remembered(file, cache) == ID


def test_one_edited_file_in_a_directory_is_the_only_one_read(plain: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain.make("out", {**many(50), "sub": many(50)})
    plain.store.identify(path, plain.stats)
    (path / "sub/file0007").write_bytes(b"edited")
    opened: list[str] = []
    really_open = os.open

    def watching(name: str, *arguments: int) -> int:
        opened.append(name)
        return really_open(name, *arguments)

    monkeypatch.setattr(os, "open", watching)
    plain.store.identify(path, plain.stats)
    assert opened == [str(path / "sub/file0007")]
