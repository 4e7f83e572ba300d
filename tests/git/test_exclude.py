"""The managed block, as real Git understands it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import GitError
from pivot.git.exclude import BEGIN, END, not_ignored, pattern, rewrite, tracked_by_branches, unlisted, with_block
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.git.plumbing.locate import RepositoryLocation
from tests.support.repository import Repo

ODD = [
    "a b",
    "a ",
    "a  ",
    " a",
    "!a",
    "#a",
    "a*",
    "a?",
    "[a]",
    "a\\",
    "\\a",
    "a\\ ",
    "a\tb",
    "ünï",
    "x/y z/!w",
    "a]b",
    "a\r",
]


def untracked(repo: Repo) -> set[str]:
    told = repo.git("status", "--porcelain", "-z", "--untracked-files=all")
    return {line[3:] for line in told.split("\0") if line.startswith("??")}


@pytest.mark.parametrize("path", [*ODD, "a\nb", "a\r", "a\rb"])
def test_an_output_is_ignored_whatever_its_name(repo: Repo, path: str) -> None:
    repo.write(path, "x")
    rewrite(repo.path / ".git", [path])
    assert repo.status() == ""


@pytest.mark.parametrize("path", ODD)
def test_nothing_else_is_ignored(repo: Repo, path: str) -> None:
    near = {"ab", "a", "b", "[a", "x/y z/w", "aXb", "deep/" + path, path + "x"} - {path}
    for name in (path, *near):
        if not any(other.startswith(f"{name}/") for other in near):
            repo.write(name, "x")
    before = untracked(repo)
    rewrite(repo.path / ".git", [path])
    assert before - untracked(repo) == {path.replace("\r", "\n")}  # as text, a return reads as a line feed


@given(st.text(st.characters(exclude_characters="/\0\n\r", exclude_categories=["Cs"]), min_size=1))
def test_a_pattern_is_one_anchored_line(path: str) -> None:
    assert pattern(path).startswith(b"/")
    assert b"\n" not in pattern(path)


def test_a_directory_is_ignored_with_all_in_it_and_a_file_of_its_name_is_not(repo: Repo) -> None:
    repo.write("out/deep/x", "x")
    rewrite(repo.path / ".git", ["out/", "file/"])
    repo.write("file", "x")
    assert untracked(repo) == {"file"}


def test_the_users_own_lines_stay_as_they_are(repo: Repo) -> None:
    own = b"# mine\r\n*.log\n\n\xff odd"
    file = repo.path / ".git/info/exclude"
    file.write_bytes(own)
    rewrite(repo.path / ".git", ["a"])
    assert file.read_bytes() == own + b"\n" + BEGIN + b"/a\n" + END
    file.write_bytes(file.read_bytes() + b"more")
    rewrite(repo.path / ".git", ["b", "c"])
    assert file.read_bytes() == own + b"\n" + BEGIN + b"/b\n/c\n" + END + b"more"
    rewrite(repo.path / ".git", [])
    assert file.read_bytes() == own + b"\nmore"


def test_nothing_is_written_where_nothing_changes(repo: Repo) -> None:
    file = repo.path / ".git/info/exclude"
    assert rewrite(repo.path / ".git", ["b", "a"])
    assert unlisted(repo.path / ".git", ["a", "c", "b"]) == ["c"]
    before = file.stat()
    assert not rewrite(repo.path / ".git", ["a", "b", "a"])
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_block_that_somebody_cut_open_loses_no_line() -> None:
    cut = BEGIN + b"/a\n*.log\n"
    assert with_block(cut, ["b"]) == cut + BEGIN + b"/b\n" + END


def test_a_second_block_of_a_merge_goes() -> None:
    block = with_block(b"", ["a"])
    assert with_block(b"x\n" + block + b"y\n" + block, ["b"]) == b"x\n" + with_block(b"", ["b"]) + b"y\n"


@given(st.binary(), st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_renewing_twice_is_renewing_once(text: bytes, paths: list[str]) -> None:
    once = with_block(text, paths)
    assert with_block(once, paths) == once
    whole = text + b"\n"
    assert with_block(with_block(whole, ["other"]), paths) == with_block(whole, paths)


def test_mode_and_link_of_the_file_stay(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("*.log\n")
    (tmp_path / "shared").chmod(0o640)
    file = repo.path / ".git/info/exclude"
    file.unlink()
    file.symlink_to(tmp_path / "shared")
    rewrite(repo.path / ".git", ["a"])
    assert file.is_symlink()
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.glob(".pivot-tmp*")) == []


def test_a_missing_info_folder_is_made(repo: Repo) -> None:
    (repo.path / ".git/info/exclude").unlink()
    (repo.path / ".git/info").rmdir()
    assert rewrite(repo.path / ".git", ["a"])
    assert not rewrite(repo.path / ".git", ["a"])


def test_a_file_that_cannot_be_written_is_an_error_with_its_path(repo: Repo) -> None:
    (repo.path / ".git/info/exclude").unlink()
    (repo.path / ".git/info").rmdir()
    (repo.path / ".git/info").write_text("")
    with pytest.raises(GitError, match="cannot be written"):
        rewrite(repo.path / ".git", ["a"])


def test_linked_work_trees_share_the_block(repo: Repo) -> None:
    repo.commit("one")
    repo.git("worktree", "add", "-q", "../linked")
    rewrite(repo.path / ".git", ["out.json"])
    linked = Repo(repo.path.parent / "linked")
    linked.write("out.json", "x")
    assert linked.status() == ""


def test_a_rule_that_defeats_the_block_is_named(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".gitignore", "*.tmp\n!out.csv\n")
    rewrite(location.common_dir, ["out.csv", "b.json", "dir/"])
    repo.write("dir/x", "x")
    assert not_ignored(location, ["out.csv", "b.json", "dir", "free"]) == {
        "out.csv": ".gitignore:2: !out.csv",
        "free": "",
    }
    assert not_ignored(location, []) == {}


def test_a_path_that_a_branch_tracks_is_found_with_its_branch(repo: Repo) -> None:
    repo.commit("one")
    repo.git("switch", "-q", "-c", "feature/x")
    repo.write("out/a.csv", "x")
    repo.commit("tracks an output")
    repo.git("switch", "-q", "main")
    backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
    asked = ["out/a.csv", "out/", "out/b.csv", "c"]
    assert tracked_by_branches(backend, asked) == {"out/a.csv": "feature/x", "out/": "feature/x"}
