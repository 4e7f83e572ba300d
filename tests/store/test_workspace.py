"""Outputs step aside and come back; edits are kept and logged."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pivot.errors import StoreError
from pivot.store import Saved, SavedEntry
from pivot.store.edit_keeper import Keeper, keep_edits
from pivot.store.worktree.output_backup import BackupArea, OutputBackup, recover
from tests.store.shelf import BIG, Shelf, Tree, snapshot, write

OLD: Tree = {"a": b"1", "sub": {"b": b"2"}}


@pytest.fixture
def pivot(plain: Shelf) -> Path:
    return plain.store.path.parent


def test_outputs_come_back_when_a_stage_fails(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    with pytest.raises(ZeroDivisionError), BackupArea(pivot) as room, OutputBackup(room) as aside:
        aside.aside([path, plain.work / "new"])
        assert not path.exists()
        write(path, {"a": b"half"})
        write(plain.work / "new", b"half")
        raise ZeroDivisionError
    assert snapshot(plain.work) == {"out": OLD}
    assert list((pivot / "aside").iterdir()) == []


def test_old_outputs_go_when_a_stage_succeeds(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    with BackupArea(pivot) as room, OutputBackup(room) as aside:
        aside.aside([path])
        write(path, b"new")
        aside.commit()
    assert snapshot(plain.work) == {"out": b"new"}
    assert list((pivot / "aside").iterdir()) == []


def test_a_lent_output_is_a_copy_that_may_be_written_to(linked: Shelf) -> None:
    path = linked.make("out", {"big": BIG, "small": b"1", "link": "small"})
    held = linked.put(path)
    with BackupArea(linked.store.path.parent) as room, OutputBackup(room) as aside:
        aside.lend([path])
        assert snapshot(path) == {"big": BIG, "small": b"1", "link": "small"}
        assert (path / "big").stat().st_nlink == 1
        with (path / "big").open("r+b") as file:
            file.write(b"new")
        aside.commit()
    assert linked.reopened().verify(held) == []
    assert (path / "big").read_bytes().startswith(b"new345")


def test_a_lent_output_comes_back_when_the_stage_fails(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    with BackupArea(pivot) as room, OutputBackup(room) as aside:
        aside.lend([path, plain.work / "first time"])
        write(path, {"a": b"changed"})
    assert snapshot(plain.work) == {"out": OLD}


def test_a_lent_symlink_is_lent_as_what_it_points_to(plain: Shelf, pivot: Path) -> None:
    plain.make("real", b"1")
    (plain.work / "link").symlink_to("real")
    with BackupArea(pivot) as room, OutputBackup(room) as aside:
        aside.lend([plain.work / "link"])
        (plain.work / "link").write_bytes(b"2")
    assert snapshot(plain.work) == {"real": b"1", "link": "real"}


def test_aside_works_across_file_systems(plain: Shelf, swift: Shelf) -> None:
    path = swift.make("out", OLD)
    with BackupArea(plain.store.path.parent) as room, OutputBackup(room) as aside:
        aside.aside([path])
        assert not path.exists()
    assert snapshot(swift.work) == {"out": OLD}


def test_a_live_command_is_left_alone_by_recovery(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    with BackupArea(pivot) as room, OutputBackup(room) as aside:
        aside.aside([path])
        assert recover(pivot, _refuse) == []
    assert snapshot(path) == OLD


def test_recovery_keeps_what_stands_in_the_way(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    child = os.fork()
    if child == 0:
        aside = OutputBackup(BackupArea(pivot))
        aside.aside([path, plain.work / "new"])
        os._exit(9)
    os.waitpid(child, 0)
    write(path, b"made since")
    keeper = _keeper(plain)
    assert recover(pivot, lambda path: keeper.keep(path, "in the way")) == [path]
    assert snapshot(plain.work) == {"out": OLD}
    (entry,) = keeper.saved.entries()
    assert plain.store.read(entry.object.id) == b"made since"
    assert recover(pivot, _refuse) == []


def test_a_list_of_what_is_aside_that_cannot_be_read_is_said(pivot: Path) -> None:
    (pivot / "aside/1-x").mkdir(parents=True)
    (pivot / "aside/1-x/list").write_bytes(b"garbage\n")
    with pytest.raises(StoreError, match="cannot be read"):
        recover(pivot, _refuse)
    assert (pivot / "aside/1-x/list").exists()


def test_edits_are_kept_once_and_logged(plain: Shelf) -> None:
    keeper = _keeper(plain)
    path = plain.make("dir/out", OLD)
    plain.put(path)
    assert keep_edits(keeper, [path, plain.work / "nothing"], "why") == {}
    write(path, {"a": b"edit"})
    kept = keep_edits(keeper, [path], "checkout replaced it")
    assert plain.store.find(kept[path].id, "a") is not None
    assert keep_edits(keeper, [path], "again") == {}
    (entry,) = keeper.saved.entries()
    assert entry == SavedEntry(kept[path], "dir/out", entry.time, "checkout replaced it")


def test_a_torn_line_of_the_log_is_left_out(tmp_path: Path, plain: Shelf) -> None:
    saved = Saved(tmp_path / "saved")
    held = plain.put(plain.make("out", b"1"))
    saved.append("one", held, "x")
    with (tmp_path / "saved").open("ab") as file:
        file.write(b'{"id": "12')
    saved.append("two", held, "x")
    assert [entry.path for entry in saved.entries()] == ["one", "two"]


def _keeper(shelf: Shelf) -> Keeper:
    return Keeper(shelf.work, shelf.store, shelf.stats, Saved(shelf.store.path.parent / "saved"))


def _refuse(path: Path) -> None:
    raise AssertionError(f"{path} should not have been touched")


def leave_unfinished(plain: Shelf) -> None:
    """What a stage leaves that is killed while it writes a directory, and files that only look like it."""
    write(plain.work / ".pivot-tmp-123-out", {"a": b"half"})
    write(plain.work / ".pivot-tmp-123-output", b"another output's")
    write(plain.work / ".pivot-tmp-mine-out", b"a user's")


OTHERS = {".pivot-tmp-123-output": b"another output's", ".pivot-tmp-mine-out": b"a user's"}


def test_an_unfinished_output_goes_when_the_stage_was_killed(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    with BackupArea(pivot) as room, OutputBackup(room) as aside:
        aside.aside([path])
        leave_unfinished(plain)
    assert snapshot(plain.work) == {"out": OLD, **OTHERS}


def test_an_unfinished_output_goes_at_the_next_start_when_the_command_was_killed(plain: Shelf, pivot: Path) -> None:
    path = plain.make("out", OLD)
    child = os.fork()
    if child == 0:
        OutputBackup(BackupArea(pivot)).aside([path])
        leave_unfinished(plain)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert recover(pivot, lambda _: None) == [path]
    assert snapshot(plain.work) == {"out": OLD, **OTHERS}
