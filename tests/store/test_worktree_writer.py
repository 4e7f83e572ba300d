"""The one writer into the work tree, and the outputs that a clone knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pivot.errors import MissingObject, UnsafePath
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE
from pivot.git.plumbing.index import TrackedPaths
from pivot.git.plumbing.locate import locate
from pivot.store import Object, StatCache, Store
from pivot.store.worktree.known_outputs import KnownOutputs
from pivot.store.worktree_writer import Target, WorktreeWriter
from tests.store.shelf import Shelf
from tests.store.test_hostile_trees import nested
from tests.support.repository import Repo

UNSAFE = [
    "../x.csv",
    "/tmp/x.csv",
    "a/../x.csv",
    ".git",
    ".git/config",
    ".GIT/config",
    "git~1/config",
    ".g\u200cit/x",
    "",
]


@dataclass
class Desk:
    """A repository with a tracked file, and a writer into its work tree."""

    repo: Repo
    shelf: Shelf
    known: KnownOutputs
    writer: WorktreeWriter

    def put(self, content: bytes = b"1\n") -> Object:
        place = self.repo.path.parent / "source"
        place.write_bytes(content)
        return self.shelf.store.put(place, self.shelf.stats)

    def reason(self, path: str, held: Object | None = None) -> str | None:
        refused = self.writer.refusal(Target(path, held or self.put()))
        return refused.reason if refused else None

    def write(self, target: Target) -> None:
        self.writer.write(target, self.shelf.stats, lambda _path: None)


@pytest.fixture
def desk(repo: Repo) -> Desk:
    repo.write("code.csv", "tracked\n")
    repo.commit()
    pivot_dir = repo.path / ".git/pivot"
    shelf = Shelf(repo.path, Store.open(pivot_dir / "store.git"), StatCache.open(pivot_dir / "cache/stat"))
    known = KnownOutputs(pivot_dir, repo.path / ".git")
    writer = WorktreeWriter(repo.path, pivot_dir, shelf.store, known, TrackedPaths(locate(repo.path)))
    return Desk(repo, shelf, known, writer)


@pytest.mark.parametrize("path", UNSAFE)
def test_nothing_is_written_or_removed_out_of_the_work_tree(desk: Desk, path: str) -> None:
    outside = desk.repo.write("../x.csv", "outside\n")
    for by_code in (False, True):
        with pytest.raises(UnsafePath, match="leads out"):
            desk.write(Target(path, desk.put(), by_code=by_code, in_git=by_code))
        with pytest.raises(UnsafePath, match="leads out"):
            desk.writer.remove(path, in_git=by_code)
    assert outside.read_text() == "outside\n" and desk.repo.status() == ""


def test_a_tracked_file_is_neither_written_nor_removed(desk: Desk) -> None:
    desk.known.remember({"code.csv": "file"})
    with pytest.raises(UnsafePath, match=r"Git tracks code\.csv"):
        desk.write(Target("code.csv", desk.put(), by_code=True))
    with pytest.raises(UnsafePath, match=r"Git tracks code\.csv"):
        desk.writer.remove("code.csv")
    assert desk.repo.read("code.csv") == "tracked\n"


def test_nothing_is_written_or_removed_through_a_symlink_or_in_another_repository(desk: Desk) -> None:
    outside = desk.repo.write("../there/x.csv", "outside\n")
    (desk.repo.path / "link").symlink_to("../there")
    Repo.init(desk.repo.path / "inner").write("x.csv", "inner\n")
    for path, word in (("link/x.csv", "through the symlink link"), ("inner/x.csv", "a repository of its own")):
        with pytest.raises(UnsafePath, match=word):
            desk.write(Target(path, desk.put(), by_code=True))
        with pytest.raises(UnsafePath, match=word):
            desk.writer.remove(path)
    assert (outside.read_text(), desk.repo.read("inner/x.csv")) == ("outside\n", "inner\n")


def test_without_the_code_a_free_path_takes_data_alone(desk: Desk) -> None:
    held = desk.put()
    assert desk.reason("new.csv") is None
    assert desk.reason("new.py") == "unknown"
    assert desk.reason("new.csv", Object(held.id, EXECUTABLE, held.size)) == "unknown"
    assert desk.reason("new.csv", Object(held.id, SYMLINK, held.size)) == "unknown"
    desk.repo.write("new.csv", "mine\n")
    assert desk.reason("new.csv") == "in the way"


def test_a_tree_made_to_hurt_is_looked_at_once(desk: Desk) -> None:
    assert desk.reason("wide", nested(desk.shelf, 9, 10, "leaf.csv")) is None
    assert desk.reason("deep", nested(desk.shelf, 3000, 1, "leaf.py")) == "unknown"


def test_what_the_store_lacks_changes_nothing(desk: Desk) -> None:
    desk.repo.write("out.csv", "mine\n")
    with pytest.raises(MissingObject, match=r"belongs at out\.csv"):
        desk.write(Target("out.csv", Object("1" * 40, BLOB, 2), by_code=True))
    assert desk.repo.read("out.csv") == "mine\n"


def test_a_known_output_is_written_and_removed(desk: Desk) -> None:
    desk.known.remember({"out/run.py": "file"})
    desk.write(Target("out/run.py", desk.put(b"pass\n")))
    assert desk.repo.read("out/run.py") == "pass\n"
    desk.writer.remove("out/run.py")
    assert not desk.repo.exists("out/run.py")


KNOWN = [
    ("file", "a", BLOB, True),
    ("file", "a", EXECUTABLE, True),
    ("file", "a", SYMLINK, False),
    ("file", "a", TREE, False),
    ("file", "a/x", BLOB, False),
    ("directory", "a", TREE, True),
    ("directory", "a", BLOB, False),
    ("directory", "a/x/y", SYMLINK, True),
    ("either", "a", SYMLINK, True),
    ("either", "b", BLOB, False),
]


@pytest.mark.parametrize(("kind", "path", "mode", "known"), KNOWN)
def test_what_is_known_is_a_path_and_what_is_there(
    tmp_path: Path, kind: str, path: str, mode: int, known: bool
) -> None:
    outputs = KnownOutputs(tmp_path / "pivot", tmp_path)
    outputs.remember({"a": kind})
    assert outputs.has(path, mode) is known
    assert KnownOutputs(tmp_path / "worktrees/other/pivot", tmp_path).has(path, mode) is known


def test_a_path_that_was_a_file_and_a_directory_is_known_as_either(tmp_path: Path) -> None:
    outputs = KnownOutputs(tmp_path / "pivot", tmp_path)
    outputs.remember({"a": "file"})
    outputs.remember({"a": "directory"})
    outputs.remember({"a": "file"})
    assert outputs.has("a", TREE) and outputs.has("a", BLOB)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version": 2, "paths": {"a": "file"}}', b'{"version": 1, "paths": 3}'])
def test_a_damaged_list_knows_nothing_and_is_written_again(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pivot").mkdir()
    (tmp_path / "pivot/known-outputs").write_bytes(data)
    outputs = KnownOutputs(tmp_path / "pivot", tmp_path)
    assert not outputs.has("a", BLOB)
    outputs.remember({"a": "file"})
    assert outputs.has("a", BLOB)
