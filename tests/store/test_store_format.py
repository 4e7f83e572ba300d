"""Only a folder with our mark is a store: everything else is refused before the first write."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.errors import StoreError
from pivot.store.odb.layout import CONFIG, create
from pivot.store.odb.store_format import FILE, LINE
from pivot.store.prune import prune
from pivot.store.store import Store
from pivot.store.users import register
from tests.store.shelf import git, snapshot
from tests.support.folders import FOREIGN, bare, old_store

USES: dict[str, Callable[[Path, Store], object]] = {
    "put": lambda folder, store: store.put_tree({}),
    "register": lambda folder, store: register(folder, folder.parent),
    "clean up": lambda folder, store: store.prune([], recent=0),
    "see what a clean-up would remove": lambda folder, store: store.prune([], dry_run=True),
    "receive": lambda folder, store: store.exchange().adding(()).__enter__(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_store_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], use: Callable[[Path, Store], object]
) -> None:
    folder = tmp_path / "theirs"
    make(folder)
    before = snapshot(folder)
    with pytest.raises(StoreError, match=r"is not a store of outputs|made this store"):
        use(folder, Store.open(folder))
    assert snapshot(folder) == before


def is_store(folder: Path) -> bool:
    return (folder / FILE).read_text() == f"{LINE}\n"


def test_a_new_store_carries_the_mark(tmp_path: Path) -> None:
    Store.open(tmp_path / "store").put_tree({})
    assert is_store(tmp_path / "store")


def test_an_older_store_is_marked_at_its_next_use_and_keeps_what_it_has(tmp_path: Path) -> None:
    store = old_store(tmp_path / "store")
    tree = Store.open(store).put_tree({})
    assert is_store(store)
    assert (store / "config").read_text() == CONFIG
    prune(str(store), [(tree, 0o40000)], recent=0)
    assert Store.open(store).entries(tree) == []


@pytest.mark.parametrize("option", ["--shared", "--quiet"])
def test_an_empty_bare_repository_is_completed(tmp_path: Path, option: str) -> None:
    folder = bare(tmp_path / "bare", option)
    before = (folder / "config").read_text()
    create(str(folder))
    assert is_store(folder)
    assert (folder / "config").read_text() == before + CONFIG
    assert git("--git-dir", str(folder), "config", "extensions.preciousObjects").stdout == "true\n"


def test_an_empty_folder_and_one_with_a_disks_own_folder_become_stores(tmp_path: Path) -> None:
    (tmp_path / "store/lost+found").mkdir(parents=True)
    create(str(tmp_path / "store"))
    assert is_store(tmp_path / "store")


def test_a_store_that_lost_its_mark_gets_it_back(tmp_path: Path) -> None:
    Store.open(tmp_path / "store").put_tree({})
    (tmp_path / "store" / FILE).unlink()
    Store.open(tmp_path / "store").put_tree({})
    assert is_store(tmp_path / "store")


def test_a_store_that_somebody_pushed_code_to_is_cleaned_up_by_nobody(tmp_path: Path) -> None:
    store = tmp_path / "store"
    Store.open(store).put_tree({})
    code = FOREIGN["a bare repository with a branch"]
    code(tmp_path / "code")
    subprocess.run(["git", "-C", tmp_path / "code", "push", "-q", store, "main"], check=True)
    with pytest.raises(StoreError, match="branches, tags"):
        prune(str(store), [], recent=0)
    assert git("--git-dir", str(store), "log", "--format=%s").stdout == "theirs\n"
