"""The stores on which the contract holds: every link mode, and another file system where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pivot.store import StatCache, Store
from tests.store.shelf import Shelf

MEMORY = Path("/dev/shm")
KINDS = ["auto", "reflink", "hardlink", "copy", "other file system"]


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """A store of each kind."""
    if request.param != "other file system":
        yield make_shelf(tmp_path, tmp_path / "pivot/store.git", request.param)
        return
    if not os.access(MEMORY, os.W_OK) or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    elsewhere = MEMORY / f"pivot-test-{os.getpid()}-{os.urandom(4).hex()}"
    yield make_shelf(tmp_path, elsewhere / "store.git", "hardlink")
    shutil.rmtree(elsewhere, ignore_errors=True)  # nothing may have been stored


@pytest.fixture
def plain(tmp_path: Path) -> Shelf:
    """One store, of the kind that a user has who set nothing."""
    return make_shelf(tmp_path, tmp_path / "pivot/store.git", "auto")


@pytest.fixture
def linked(tmp_path: Path) -> Shelf:
    """A store that hard-links, also for root."""
    return make_shelf(tmp_path, tmp_path / "pivot/store.git", "hardlink")


@pytest.fixture
def swift(tmp_path: Path) -> Iterator[Shelf]:
    """A store that hard-links, with its work tree in memory where that can be had: no waiting for a disk."""
    if not os.access(MEMORY, os.W_OK):
        yield make_shelf(tmp_path, tmp_path / "pivot/store.git", "hardlink")
        return
    top = MEMORY / f"pivot-test-{os.getpid()}-{os.urandom(4).hex()}"
    top.mkdir()
    yield make_shelf(top, top / "pivot/store.git", "hardlink")
    shutil.rmtree(top)


def make_shelf(tmp_path: Path, store: Path, link: str) -> Shelf:
    work = tmp_path / "work"
    work.mkdir()
    return Shelf(work, Store.open(store, link=link), StatCache.open(tmp_path / "pivot/cache/stat"))
