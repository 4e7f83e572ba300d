from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pivot.errors import GitError, ProjectError
from pivot.git.plumbing.locate import RepositoryLocation, locate
from tests.support.repository import Repo


def as_git_says(folder: Path) -> RepositoryLocation:
    """The invariant: what `locate` finds is what Git finds from the same folder."""
    git = Repo(folder).git
    root = Path(git("rev-parse", "--show-toplevel"))
    common_dir = (folder / git("rev-parse", "--git-common-dir")).resolve()
    return RepositoryLocation(root, Path(git("rev-parse", "--absolute-git-dir")), common_dir)


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a process here fails."""

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.fixture
def nested(repo: Repo) -> Repo:
    (repo.path / "a b/ü").mkdir(parents=True)
    repo.commit("one")
    return repo


@pytest.mark.parametrize("folder", [".", "a b", "a b/ü"])
def test_any_folder_of_a_work_tree_finds_it(nested: Repo, folder: str) -> None:
    assert locate(nested.path / folder) == as_git_says(nested.path / folder)


def test_an_ordinary_repository_is_found_without_a_process(nested: Repo, no_process: None) -> None:
    assert locate(nested.path / "a b").root == nested.path


def test_a_linked_work_tree_is_found_without_a_process(nested: Repo, request: pytest.FixtureRequest) -> None:
    nested.git("worktree", "add", "-q", "../linked")
    linked = nested.path.parent / "linked"
    expected = as_git_says(linked)
    request.getfixturevalue("no_process")
    assert locate(linked) == expected
    assert expected.common_dir == nested.path / ".git"


def test_the_folder_of_a_work_tree_is_where_git_puts_it(nested: Repo) -> None:
    nested.git("worktree", "add", "-q", "../linked")
    for folder in (nested.path, nested.path.parent / "linked"):
        told = folder / Repo(folder).git("rev-parse", "--git-path", "pivot")
        assert locate(folder).pivot_dir == told.resolve()
    assert locate(folder).store_dir == nested.path / ".git/pivot/store.git"


def test_a_submodule_is_a_repository_of_its_own(nested: Repo, tmp_path: Path) -> None:
    other = Repo.init(tmp_path / "other")
    other.commit("one")
    nested.git("submodule", "--quiet", "add", str(other.path), "sub")
    assert locate(nested.path / "sub") == as_git_says(nested.path / "sub")
    assert locate(nested.path / "sub").git_dir == nested.path / ".git/modules/sub"


def test_a_separate_git_dir_is_followed(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "work", "--separate-git-dir", str(tmp_path / "elsewhere.git"))
    assert locate(repo.path) == as_git_says(repo.path)


def test_a_start_behind_a_symlink_is_the_real_folder(nested: Repo, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(nested.path / "a b")
    assert locate(tmp_path / "link").root == nested.path


def test_a_work_tree_set_elsewhere_is_left_to_git(nested: Repo, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    nested.git("config", "core.worktree", str(tmp_path / "files"))
    assert locate(nested.path).root == tmp_path / "files"


def test_git_dir_and_work_tree_of_the_environment_count(
    nested: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files").mkdir()
    monkeypatch.setenv("GIT_DIR", str(nested.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "files"))
    found = locate(tmp_path)
    assert found == RepositoryLocation(tmp_path / "files", nested.path / ".git", nested.path / ".git")
    assert found.environment()["GIT_WORK_TREE"] == str(tmp_path / "files")


def test_a_relative_git_dir_from_a_hook_means_the_same_elsewhere(nested: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(nested.path)
    monkeypatch.setenv("GIT_DIR", ".git")
    assert locate(nested.path).environment()["GIT_DIR"] == str(nested.path / ".git")


def test_a_bare_repository_has_no_root(tmp_path: Path) -> None:
    bare = Repo.init(tmp_path / "bare.git", "--bare").path
    assert locate(bare) == RepositoryLocation(None, bare, bare)


def test_gits_own_folder_has_no_root(nested: Repo) -> None:
    assert locate(nested.path / ".git/hooks") == RepositoryLocation(None, nested.path / ".git", nested.path / ".git")


def test_outside_of_any_repository_the_hint_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="in no Git repository") as raised:
        locate(tmp_path)
    assert raised.value.hint == "git init"


def test_a_ceiling_stops_the_search(nested: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(nested.path))
    with pytest.raises(ProjectError, match="in no Git repository"):
        locate(nested.path / "a b")
    assert locate(nested.path).root == nested.path  # the start itself is always looked at


def test_a_git_file_that_leads_nowhere_is_told_by_git(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(ProjectError):
        locate(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_foreign_owner_gets_gits_own_sentence(nested: Repo) -> None:
    for path in (nested.path, nested.path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(ProjectError, match="dubious ownership") as raised:
        locate(nested.path)
    assert raised.value.hint == f"git config --global --add safe.directory '{nested.path}'"
    nested.git("config", "--global", "--add", "safe.directory", str(nested.path))
    assert locate(nested.path).root == nested.path


def test_branch_and_head_are_read_from_their_files(repo: Repo, no_process: None) -> None:
    found = locate(repo.path)
    assert (found.branch(), found.read_ref("HEAD")) == ("main", None)


def test_a_detached_head_has_a_commit_and_no_branch(repo: Repo) -> None:
    commit = repo.commit("one")
    repo.git("switch", "-q", "--detach")
    found = locate(repo.path)
    assert (found.branch(), found.read_ref("HEAD")) == (None, commit)


def test_packed_and_symbolic_refs_are_followed(repo: Repo) -> None:
    commit = repo.commit("one")
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    repo.git("pack-refs", "--all")
    found = locate(repo.path)
    named = {name: found.read_ref(name) for name in ("HEAD", "refs/heads/main", "refs/heads/alias", "refs/heads/mai")}
    assert named == {"HEAD": commit, "refs/heads/main": commit, "refs/heads/alias": commit, "refs/heads/mai": None}


@pytest.mark.parametrize("name", ["../config", "refs/../../x", "/etc/passwd", "refs/a..b", "", "refs/x.lock", "a b"])
def test_a_name_that_no_ref_can_have_is_refused(location: RepositoryLocation, name: str) -> None:
    with pytest.raises(GitError, match="cannot be the name of a ref"):
        location.read_ref(name)


def test_a_damaged_ref_is_an_error_and_no_answer(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".git/refs/pivot/runs", "not an id\n")
    with pytest.raises(GitError, match="is damaged"):
        location.read_ref("refs/pivot/runs")


def test_a_circle_of_symbolic_refs_ends(repo: Repo, location: RepositoryLocation) -> None:
    repo.write(".git/refs/heads/a", "ref: refs/heads/b\n")
    repo.write(".git/refs/heads/b", "ref: refs/heads/a\n")
    with pytest.raises(GitError, match="circle"):
        location.read_ref("refs/heads/a")


def test_finding_a_repository_does_not_import_libgit2() -> None:
    script = f"import sys, {locate.__module__}; sys.exit('pygit2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
