"""Polling sees every change that a stat shows."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pivot.watch.polling import ADDED, DELETED, MODIFIED, Looking


def look(looking: Looking) -> object:
    return looking.watch(1, 1, 1, None)


def test_a_second_save_in_one_second_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    looking = Looking([str(tmp_path)])
    told = file.stat()
    file.write_text("b")
    os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns + 1))
    assert look(looking) == {(MODIFIED, str(file))}
    assert look(looking) == "timeout"


def test_new_and_deleted_files_are_told_and_what_lies_deeper_is_not(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "folder").mkdir()
    looking = Looking([str(tmp_path)])
    (tmp_path / "old").rename(tmp_path / "new")
    assert look(looking) == {(ADDED, str(tmp_path / "new")), (DELETED, str(tmp_path / "old"))}


def test_a_folder_that_goes_takes_its_files_along(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.touch()
    looking = Looking([str(tmp_path / "folder")])
    file.unlink()
    (tmp_path / "folder").rmdir()
    assert look(looking) == {(DELETED, str(file))}


@pytest.mark.parametrize("stopped, told", [(True, "stop"), (False, "timeout")])
def test_waiting_ends_when_it_is_stopped_or_has_taken_too_long(tmp_path: Path, stopped: bool, told: str) -> None:
    stop = threading.Event()
    if stopped:
        stop.set()
    assert Looking([str(tmp_path)]).watch(1, 1, 5, stop) == told
