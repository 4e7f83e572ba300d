"""Several processes, several users, one store."""

from __future__ import annotations

import os
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.store import StatCache, Store
from tests.store.shelf import BIG, Shelf, Tree, git, many, snapshot, write
from tests.support.slow import slow_unless

NOBODY = 65534


def in_child(work: Callable[[], object], user: int | None = None) -> int:
    """Start `work` in a child, perhaps as another user; its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def wait_for(*children: int) -> None:
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(children)


@pytest.mark.parametrize("writers", slow_unless([2, 6], lambda writers: writers == 2))
def test_processes_that_put_at_once_make_one_sound_store(swift: Shelf, writers: int) -> None:
    shared: Tree = {**many(150), "big": BIG}
    paths = [swift.make(f"out{n}", {**shared, "own": b"%d" % n}) for n in range(writers)]
    wait_for(*(in_child(lambda path=path: swift.reopened().put(path, swift.fresh())) for path in paths))  # type: ignore[misc]
    for path in paths:
        swift.assert_whole(swift.store.identify(path, swift.fresh()))


@pytest.mark.slow
def test_cleaning_up_while_others_put_takes_nothing_of_theirs(swift: Shelf) -> None:
    paths = [swift.make(f"out{n}", {**many(120), "own": os.urandom(20), "big": BIG + b"%d" % n}) for n in range(4)]

    def put_them(number: int) -> None:
        for path in paths[number:]:
            swift.reopened().put(path, swift.fresh())

    def prune() -> None:
        for _ in range(10):
            swift.reopened().prune([])

    wait_for(*(in_child(lambda n=n: put_them(n)) for n in range(3)), in_child(prune))  # type: ignore[misc]
    for path in paths:
        swift.assert_whole(swift.store.identify(path, swift.fresh()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_automatic_links_are_hard_for_a_user_and_never_for_root(tmp_path: Path) -> None:
    open_to_all(tmp_path)

    def put_as_user() -> None:
        home = tmp_path / "user"
        home.mkdir()
        path = home / "out"
        path.write_bytes(BIG)
        Store.open(home / "store.git").put(path, StatCache.open(home / "stat"))
        assert path.stat().st_nlink == 2
        with pytest.raises(PermissionError):
            path.write_bytes(b"through the link")

    wait_for(in_child(put_as_user, NOBODY))
    (tmp_path / "out").write_bytes(BIG)
    Store.open(tmp_path / "store.git").put(tmp_path / "out", StatCache.open(tmp_path / "stat"))
    assert (tmp_path / "out").stat().st_nlink == 1
    (tmp_path / "out").write_bytes(b"root may")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_users_share_a_store_by_group(tmp_path: Path) -> None:
    """The store as `git init --bare --shared` makes it, one user with a umask that shuts everybody out."""
    open_to_all(tmp_path)
    store = tmp_path / "store.git"
    git("init", "-q", "--bare", "--shared=group", str(store))
    for path in (store, *store.rglob("*")):
        os.chown(path, 1000, NOBODY)
    content: Tree = {"a": b"1", "big": BIG}
    write(tmp_path / "out", content)

    def put(number: int) -> None:
        os.umask(0o077)
        path = tmp_path / f"out{number}"
        write(path, {**content, "own": b"%d" % number})
        opened = Store.open(store)
        held = opened.put(path, StatCache.open(tmp_path / "none"))
        assert opened.verify(held) == []
        opened.restore(held, tmp_path / f"copy{number}", StatCache.open(tmp_path / "none"))
        assert snapshot(tmp_path / f"copy{number}") == {**content, "own": b"%d" % number}

    def as_first(number: int) -> None:
        os.setgroups([NOBODY])
        os.setegid(NOBODY)
        os.seteuid(1000)
        put(number)

    wait_for(in_child(lambda: as_first(1)))
    wait_for(in_child(lambda: put(2), NOBODY))
    wait_for(in_child(lambda: as_first(3)))
    assert all(
        path.stat().st_mode & stat.S_IRGRP for path in store.rglob("*") if path.is_file() and path.name != "lock"
    )


def open_to_all(path: Path) -> None:
    """Let other users in: the folders of a test are its owner's alone."""
    path.chmod(0o777)
    for folder in path.parents:
        if folder.owner() == path.owner() and str(folder) not in ("/", "/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
