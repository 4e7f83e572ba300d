"""What the user made narrow is not widened: not by the store, not by a restore, not by a link."""

from __future__ import annotations

import os
import stat as modes
from pathlib import Path

import pytest

from pivot.store.odb import narrow
from pivot.store.permissions import PRIVATE, folder_permissions
from tests.store.conftest import make_shelf
from tests.store.shelf import Shelf
from tests.support.repository import Repo
from tests.support.stories import ran

SMALL, LARGE = b"secret\n", b"secret\n" * 300_000
LINKS = ["auto", "hardlink", "copy"]
PIPELINE = """
import os
import pathlib
from typing import Annotated
import pivot

def make() -> Annotated[pathlib.Path, pivot.Out("key.txt", pivot.loaders.PathOnly())]:
    path = pathlib.Path("key.txt")
    path.write_text("secret\\n" * SIZE)
    path.chmod(0o600)
    return path

pipeline = pivot.Pipeline("p")
pipeline.register(make)
"""


def bits(path: Path) -> int:
    return modes.S_IMODE(path.stat().st_mode)


def no_wider(path: Path, most: int) -> None:
    assert bits(path) & ~most == 0, f"{path} has {bits(path):o}, where {most:o} was given"


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o700, 0o604, 0o400])
@pytest.mark.parametrize("link", LINKS)
def test_a_file_comes_back_with_what_it_had(tmp_path: Path, data: bytes, mode: int, link: str) -> None:
    shelf = make(tmp_path, link)
    path = shelf.work / "key"
    path.write_bytes(data)
    path.chmod(mode)
    held = shelf.store.put(path, shelf.stats)
    no_wider(path, mode)
    path.unlink()
    shelf.store.restore(held, path, shelf.stats)
    assert (path.read_bytes(), bits(path) & 0o444) == (data, mode & 0o444)
    no_wider(path, mode | 0o200)


@pytest.mark.parametrize("link", LINKS)
def test_a_directory_and_the_files_in_it(tmp_path: Path, link: str) -> None:
    shelf = make(tmp_path, link)
    folder = shelf.work / "keys"
    (folder / "below").mkdir(parents=True)
    (folder / "below/key").write_bytes(LARGE)
    (folder / "open").write_bytes(SMALL)
    (folder / "below/key").chmod(0o600)
    (folder / "below").chmod(0o700)
    held = shelf.store.put(folder, shelf.stats)
    folder.rename(shelf.work / "away")
    shelf.store.restore(held, folder, shelf.stats)
    assert (bits(folder / "below"), bits(folder / "below/key"), bits(folder / "open")) == (0o700, 0o600, 0o644)


@pytest.mark.parametrize("link", LINKS)
def test_what_replaces_a_narrow_file_is_narrow(tmp_path: Path, link: str) -> None:
    shelf = make(tmp_path, link)
    path = shelf.work / "key"
    path.write_bytes(LARGE)
    held = shelf.store.put(path, shelf.stats)
    path.unlink()
    path.write_bytes(b"an edit")
    path.chmod(0o600)
    kept = shelf.store.restore(held, path, shelf.stats)
    no_wider(path, 0o600)
    path.unlink()
    shelf.store.restore(kept[0][1], path, shelf.stats)  # the edit, taken back
    no_wider(path, 0o600)


def test_a_file_of_the_usual_permissions_leaves_nothing(tmp_path: Path) -> None:
    shelf = make(tmp_path, "copy")
    (shelf.work / "a").write_bytes(SMALL)
    shelf.store.put(shelf.work / "a", shelf.stats)
    assert not (shelf.store.path / narrow.FOLDER).exists()


def test_the_umask_alone_is_no_narrow_file(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        test_a_file_of_the_usual_permissions_leaves_nothing(tmp_path)
    finally:
        os.umask(before)


def test_it_is_forgotten_with_the_object(tmp_path: Path) -> None:
    shelf = make(tmp_path, "copy")
    for name, data in (("a", SMALL), ("b", b"other\n")):
        (shelf.work / name).write_bytes(data)
        (shelf.work / name).chmod(0o600)
    kept = shelf.store.put(shelf.work / "a", shelf.stats)
    gone = shelf.store.put(shelf.work / "b", shelf.stats)
    shelf.store.prune([kept], recent=-1)
    assert (
        narrow.NarrowModes(str(shelf.store.path)).of(kept.id),
        narrow.NarrowModes(str(shelf.store.path)).of(gone.id),
    ) == (0o077, 0)


def test_a_damaged_note_widens_nothing(tmp_path: Path) -> None:
    (tmp_path / narrow.FOLDER).mkdir()
    (tmp_path / narrow.FOLDER / "oid").write_text("no number")
    assert narrow.NarrowModes(str(tmp_path)).of("oid") == 0o077


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        (None, PRIVATE), ("umask", PRIVATE), ("false", PRIVATE), ("0", PRIVATE), ("0600", PRIVATE),
        ("group", 0o2770), ("true", 0o2770), ("1", 0o2770), ("0660", 0o2770), ("0640", 0o2750),
        ("all", 0o2775), ("world", 0o2775), ("2", 0o2775), ("0664", 0o2775),
    ],
)  # fmt: skip
def test_folders_follow_core_shared_repository(setting: str | None, wanted: int) -> None:
    assert folder_permissions(setting) == wanted


@pytest.mark.parametrize("size", [1, 300_000], ids=["small", "large"])
def test_the_command_keeps_a_narrow_output_narrow(repo: Repo, size: int) -> None:
    project(repo, size)
    assert bits(repo.path / ".git/pivot") == 0o700
    (repo.path / "key.txt").unlink()
    repo.pivot("repro").expect(0)
    no_wider(repo.path / "key.txt", 0o600)


def test_an_older_folder_is_narrowed_at_its_next_use(repo: Repo) -> None:
    project(repo)
    (repo.path / ".git/pivot").chmod(0o755)
    repo.pivot("status").expect(0)
    assert bits(repo.path / ".git/pivot") == 0o700


def test_a_shared_repository_shares_its_store(repo: Repo) -> None:
    repo.git("config", "core.sharedRepository", "group")
    project(repo)
    assert [bits(repo.path / path) for path in (".git/pivot", ".git/pivot/store.git")] == [0o2770, 0o2770]
    repo.pivot("status").expect(0)
    assert bits(repo.path / ".git/pivot") == 0o2770


def test_a_store_elsewhere_is_private_too(repo: Repo) -> None:
    store = repo.path.parent / "elsewhere/store.git"
    repo.git("config", "pivot.store", str(store))
    project(repo)
    assert bits(store) == 0o700
    store.chmod(0o755)
    repo.pivot("repro", "--force").expect(0)
    assert bits(store) == 0o700


def test_a_store_that_was_made_for_a_group_stays_so(repo: Repo) -> None:
    store = repo.path.parent / "shared.git"
    repo.git("init", "--quiet", "--bare", "--shared=group", str(store))
    before = bits(store)
    repo.git("config", "pivot.store", str(store))
    project(repo)
    assert (before & 0o070, bits(store)) == (0o070, before)


def test_a_remote_keeps_the_permissions_of_its_folder(repo: Repo) -> None:
    folder = repo.path.parent / "disk"
    folder.mkdir()
    folder.chmod(0o755)
    project(repo)
    repo.pivot("remote", "add", "disk", str(folder)).expect(0)
    repo.pivot("push").expect(0)
    assert (bits(folder), (folder / "pivot-store").exists()) == (0o755, True)


def project(repo: Repo, size: int = 1) -> None:
    repo.write("pipeline.py", PIPELINE.replace("SIZE", str(size)))
    repo.write(".gitignore", "key.txt\n")
    repo.commit("a secret")
    ran(repo)


def make(tmp_path: Path, link: str) -> Shelf:
    return make_shelf(tmp_path, tmp_path / "store.git", link)
