from __future__ import annotations

import os

import pytest

from pivot.git.plumbing.index import differences, tracked
from pivot.git.plumbing.locate import RepositoryLocation, locate
from tests.support.repository import Repo


@pytest.fixture
def filled(repo: Repo) -> Repo:
    for path in ("data.json", "dir/a", "dir/b", "sp ace/ü*[x]", "same"):
        repo.write(path, path)
    repo.write(".gitignore", "*.log\n")
    repo.commit("one")
    return repo


def test_tracked_are_files_and_folders_that_hold_some(filled: Repo, location: RepositoryLocation) -> None:
    filled.write("new", "x")
    asked = ["data.json", "dir", "dir/", "dir/a", "sp ace/ü*[x]", "sp ace/ü", "new", "di", "dir/c", "*"]
    assert tracked(location, asked) == {"data.json", "dir", "dir/a", "sp ace/ü*[x]"}
    assert tracked(location, []) == set()


def test_a_file_that_was_only_added_is_tracked(filled: Repo, location: RepositoryLocation) -> None:
    filled.write("new", "x")
    filled.git("add", "new")
    assert tracked(location, ["new"]) == {"new"}


def test_thousands_of_paths_are_asked_for_in_pieces(filled: Repo, location: RepositoryLocation) -> None:
    assert tracked(location, [f"no/{number}" for number in range(1200)] + ["same"]) == {"same"}


def test_what_is_as_at_head_does_not_differ(filled: Repo, location: RepositoryLocation) -> None:
    (filled.path / "same").touch()
    assert differences(location, ["data.json", "dir", "same", "sp ace/ü*[x]"]) == {}
    assert differences(location, []) == {}


def test_each_way_to_differ_is_named(filled: Repo, location: RepositoryLocation) -> None:
    filled.write("data.json", "edited")
    filled.write("staged", "x")
    filled.git("add", "staged")
    filled.write("fresh", "x")
    filled.write("ignored.log", "x")
    (filled.path / "same").unlink()
    found = differences(location, ["data.json", "staged", "fresh", "ignored.log", "same", "gone", "dir"])
    assert found == {
        "data.json": "changed",
        "staged": "changed",
        "same": "changed",
        "fresh": "untracked",
        "ignored.log": "untracked",
        "gone": "untracked",
    }


@pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
def test_what_is_hidden_from_git_is_said_to_be(filled: Repo, location: RepositoryLocation, flag: str) -> None:
    filled.git("update-index", flag, "data.json", "dir/a")
    filled.write("data.json", "edited, and Git does not look")
    assert differences(location, ["data.json", "dir", "same"]) == {"data.json": "hidden", "dir": "hidden"}


def test_a_folder_differs_by_anything_in_it(filled: Repo, location: RepositoryLocation) -> None:
    filled.write("dir/x.log", "ignored, but read with the folder")
    filled.write("sp ace/ü*[x]", "edited")
    assert differences(location, ["dir", "sp ace/"]) == {"dir": "untracked", "sp ace": "changed"}


def test_before_the_first_commit_everything_differs(repo: Repo, location: RepositoryLocation) -> None:
    repo.write("a", "x")
    repo.git("add", "a")
    repo.write("b", "x")
    assert differences(location, ["a", "b"]) == {"a": "changed", "b": "untracked"}


def test_a_file_of_a_submodule_is_not_known_to_be_as_at_head(filled: Repo, location: RepositoryLocation) -> None:
    other = Repo.init(filled.path.parent / "other")
    other.write("x", "x")
    other.commit("one")
    filled.git("submodule", "--quiet", "add", str(other.path), "sub")
    filled.commit("with a submodule")
    assert differences(location, ["sub/x"]) == {"sub/x": "untracked"}


def test_reading_does_not_write_the_index(filled: Repo, location: RepositoryLocation) -> None:
    os.utime(filled.path / "same", (1, 1))  # for a time close to the index's own Git writes nothing anyway
    before = (filled.path / ".git/index").read_bytes()
    differences(location, ["same"])
    assert (filled.path / ".git/index").read_bytes() == before


def test_a_linked_work_tree_has_its_own_answers(filled: Repo) -> None:
    filled.git("worktree", "add", "-q", "../linked")
    linked = Repo(filled.path.parent / "linked")
    linked.write("same", "edited")
    assert differences(locate(linked.path), ["same"]) == {"same": "changed"}
    assert differences(locate(filled.path), ["same"]) == {}


def test_a_bare_repository_tracks_no_path(repo: Repo) -> None:
    bare = Repo.init(repo.path.parent / "bare.git", "--bare")
    assert tracked(locate(bare.path), ["a"]) == set()
