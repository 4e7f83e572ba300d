"""Nothing is written through a symlink, even one that appears between the check and the write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.errors import StoreError, UnsafePath
from pivot.store.odb import crash_points
from pivot.store.worktree.folders import open_below, remove_in
from tests.store.shelf import Shelf, Tree, many, snapshot

KEPT: Tree = {"x": b"theirs"}


def at_point(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Do something once, when a named point is passed."""
    waiting = [act]
    monkeypatch.setattr(crash_points, "point", lambda passed: waiting.pop()() if waiting and passed == name else None)


def swap_for_link(shelf: Shelf, folder: str) -> None:
    (shelf.work / folder).rename(shelf.work / "moved")
    (shelf.work / folder).symlink_to("elsewhere")


@pytest.mark.parametrize("path", ["link/x", "a/link/x", "link/a/x"])
def test_a_symlink_above_a_path_is_refused(plain: Shelf, path: str) -> None:
    held = plain.put(plain.make("source", b"ours"))
    plain.make("elsewhere", KEPT)
    link = plain.work / path.partition("link")[0] / "link"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(plain.work / "elsewhere")
    with pytest.raises(UnsafePath, match="through the symlink"):
        plain.store.restore(held, plain.work / path, plain.stats, root=plain.work)
    assert snapshot(plain.work / "elsewhere") == KEPT


@pytest.mark.parametrize("path", ["../x", ".git/x", "a/.GIT/x", "a/../../x", "git~1"])
def test_a_path_that_leads_elsewhere_is_refused(plain: Shelf, path: str) -> None:
    held = plain.put(plain.make("source", b"ours"))
    before = snapshot(plain.work.parent)
    with pytest.raises(UnsafePath):
        plain.store.restore(held, plain.work / path, plain.stats, root=plain.work)
    assert snapshot(plain.work.parent) == before


def test_a_folder_that_becomes_a_symlink_while_a_file_is_written(plain: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    held = plain.put(plain.make("source", b"ours"))
    plain.make("out", {"other": b"1"})
    plain.make("elsewhere", KEPT)
    at_point(monkeypatch, "restore:written", lambda: swap_for_link(plain, "out"))
    plain.store.restore(held, plain.work / "out/x", plain.stats, root=plain.work)
    assert (snapshot(plain.work / "elsewhere"), (plain.work / "moved/x").read_bytes()) == (KEPT, b"ours")


@pytest.mark.parametrize("count", [2, 200])
def test_a_directory_that_becomes_a_symlink_while_it_is_restored(
    plain: Shelf, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    held = plain.put(plain.make("source", {"in": many(count), "x": b"1"}))
    plain.make("out", {"in": {"file0000": b"old"}, "y": b"2"})
    plain.put(plain.work / "out")
    plain.make("elsewhere", KEPT)
    at_point(monkeypatch, "restore:removed", lambda: swap_for_link(plain, "out"))
    with pytest.raises((UnsafePath, FileNotFoundError)):
        plain.store.restore(held, plain.work / "out", plain.stats, root=plain.work)
    assert snapshot(plain.work / "elsewhere") == KEPT


def test_a_store_on_another_file_system_leaves_nothing_in_the_work_tree(shelf: Shelf) -> None:
    held = shelf.put(shelf.make("source", {"a": b"1", "sub": {"b": b"2"}}))
    shelf.make("out", {"a": b"0", "sub": {"c": b"3"}})
    shelf.put(shelf.work / "out")
    shelf.store.restore(held, shelf.work / "out", shelf.stats, root=shelf.work)
    shelf.assert_is(shelf.work / "out", held)
    shelf.assert_nothing_left_over()


def test_folders_are_made_on_the_way_and_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    with open_below(str(tmp_path), "a/b", make=True) as folder:
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    with pytest.raises(StoreError, match="a/b/file is a file"), open_below(str(tmp_path), "a/b/file/c", make=True):
        pass
    with pytest.raises(FileNotFoundError), open_below(str(tmp_path), "a/c"):
        pass


def test_what_a_symlink_points_to_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "real/sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    with open_below(str(tmp_path), "") as folder:
        remove_in(folder, "link")
        remove_in(folder, "nothing")
    assert [path.name for path in tmp_path.iterdir()] == ["real"]
