"""Cleaning up takes what nothing names, and only that."""

from __future__ import annotations

import os
import time

from pivot.store import Object, Store
from tests.store.shelf import BIG, Shelf, many


def forget_all(shelf: Shelf, *roots: Object, dry_run: bool = False) -> tuple[int, int]:
    done = shelf.store.prune(roots, recent=0, dry_run=dry_run)
    return done.objects, done.large


def test_what_nothing_names_goes(plain: Shelf) -> None:
    wanted, other = plain.put(plain.make("a", {"x": BIG, "y": b"1"})), plain.put(plain.make("b", {"x": BIG + b"2"}))
    assert forget_all(plain, wanted) == (2, 1)
    assert plain.reopened().verify(wanted) == []
    assert not plain.reopened().has(other)
    assert forget_all(plain, wanted) == (0, 0)


def test_a_pack_is_written_anew_when_much_of_it_is_dead(plain: Shelf) -> None:
    held = plain.put(plain.make("out", {"wanted": many(60), "rubbish": many(90, 50)}))
    wanted = plain.store.find(held.id, "wanted")
    assert wanted is not None
    before = sum(path.stat().st_size for path in plain.store.path.rglob("*.pack"))
    assert forget_all(plain, wanted) == (92, 0)
    assert sum(path.stat().st_size for path in plain.store.path.rglob("*.pack")) < before
    assert plain.store.has(wanted)
    plain.assert_whole(wanted)


def test_a_dry_run_says_the_same_and_removes_nothing(plain: Shelf) -> None:
    held = plain.put(plain.make("out", {**many(150), "big": BIG}))
    assert forget_all(plain, dry_run=True) == (152, 1)
    assert plain.reopened().verify(held) == []
    assert forget_all(plain) == (152, 1)
    assert not plain.reopened().has(held)


def test_what_was_stored_in_the_last_day_stays(plain: Shelf) -> None:
    held = plain.put(plain.make("out", {"big": BIG}))
    plain.store.prune([])
    plain.assert_whole(held)


def test_a_put_that_finds_its_bytes_there_protects_them_too(plain: Shelf) -> None:
    path = plain.make("out", b"1")
    held = plain.put(path)
    for mark in (plain.store.path / "recent").iterdir():
        os.utime(mark, (0, 0))
    plain.put(path)
    (plain.store.path / "recent/2019-notes").touch()  # a foreign file is no mark
    plain.store.prune([])
    plain.assert_whole(held)


def test_saved_edits_stay_for_ninety_days(plain: Shelf) -> None:
    path = plain.make("out", b"1")
    held = plain.put(path)
    path.write_bytes(b"an edit")
    ((_, kept),) = plain.restore(held, path)
    forget_all(plain)
    assert plain.reopened().has(kept)
    (mark,) = (plain.store.path / "kept").iterdir()
    os.utime(mark, (0, time.time() - 91 * 86_400))
    forget_all(plain)
    assert not plain.reopened().has(kept)


def test_an_open_store_finds_what_moved_to_another_pack(plain: Shelf) -> None:
    held = plain.put(plain.make("out", {"wanted": many(60), "rubbish": many(90, 50)}))
    wanted = plain.store.find(held.id, "wanted")
    assert wanted is not None
    other = Store.open(plain.store.path)
    assert other.has(held)
    plain.store.prune([wanted], recent=0)
    assert other.verify(wanted) == []


def test_git_gc_in_the_store_removes_nothing(plain: Shelf) -> None:
    held = plain.put(plain.make("out", many(150)))
    for command in (["gc", "--prune=now"], ["prune", "--expire=now"], ["repack", "-adq"]):
        os.spawnlp(os.P_WAIT, "git", "git", "--git-dir", str(plain.store.path), *command)
    plain.assert_whole(held)


def test_old_temporary_files_are_swept_and_new_ones_are_not(plain: Shelf, monkeypatch: object) -> None:
    plain.put(plain.make("out", b"1"))
    (plain.store.path / "tmp/.pivot-tmp-1-x").write_bytes(b"in use")
    plain.store.prune([])
    assert (plain.store.path / "tmp/.pivot-tmp-1-x").exists()


def test_cleaning_up_a_store_that_was_never_made(plain: Shelf) -> None:
    assert forget_all(plain) == (0, 0)
