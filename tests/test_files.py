"""Atomic writes, locks, and repository paths."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pivot.errors import LockTimeout
from pivot.files import FileLock, write_all, write_atomic


def test_an_atomic_write_makes_folders_and_leaves_one_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a/b", b"1")
    write_atomic(tmp_path / "a/b", b"2", durable=True)
    assert (tmp_path / "a/b").read_bytes() == b"2"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "a", b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_everything_is_written_however_little_goes_at_a_time() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    data = bytes(range(256)) * 100
    write_all(writer, data)
    assert os.read(reader, 1 << 20) == data
    os.close(reader)
    os.close(writer)


def test_a_held_lock_says_who_holds_it(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", "git pivot repro"), pytest.raises(LockTimeout) as caught:
        FileLock(tmp_path / "lock", "git pivot status").acquire(timeout=0.05)
    assert f"process {os.getpid()} (git pivot repro) has held the lock since 2" in str(caught.value)


def test_a_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with FileLock(tmp_path / "lock", "x") as lock:
            assert lock.held
        assert not lock.held


def test_waiting_for_a_lock_ends_when_it_is_free(tmp_path: Path) -> None:
    holder = _hold(tmp_path / "lock", "time.sleep(0.3)")
    FileLock(tmp_path / "lock", "x").acquire(timeout=10)
    assert holder.wait() == 0


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    holder = _hold(tmp_path / "lock", "time.sleep(60)")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    FileLock(tmp_path / "lock", "x").acquire()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", "x")
    lock.acquire()
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    lock.release()
    FileLock(tmp_path / "lock", "x").acquire(timeout=2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_child_does_not_free_the_lock_of_its_parent(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", "x"):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(LockTimeout):
            FileLock(tmp_path / "lock", "x").acquire()


def _hold(path: Path, then: str) -> subprocess.Popen[bytes]:
    lines = [
        "import sys, time; from pathlib import Path; from pivot.files import FileLock",
        f"lock = FileLock(Path({str(path)!r}), 'holder'); lock.acquire(); print('held', flush=True)",
        then,
    ]
    script = "\n".join(lines)
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.stdout.close()
    return holder
