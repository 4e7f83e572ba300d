"""Two clones that push results at the same moment, through the installed hook and by hand."""

from __future__ import annotations

from pathlib import Path

from tests.support.repository import Repo


def test_while_another_pushes_results_at_the_same_moment(branches: Repo, tmp_path: Path) -> None:
    """Ten rounds: both pushes are taken, and nothing that either knows is lost."""
    remote = Repo.init(tmp_path / "remote", "--bare")
    branches.git("remote", "add", "origin", str(remote.path))
    branches.git("push", "--quiet", "origin", "main", "other")
    other = Repo(tmp_path / "clone")
    remote.git("clone", "--quiet", str(remote.path), str(other.path), "--branch", "other")
    other.pivot("pull").expect(0)
    for number in range(10):
        notes = [add_a_note(repo, f"{name}-{number}") for name, repo in (("one", branches), ("two", other))]
        with other.start_pivot("push") as racing:
            branches.git("push", "--quiet", "origin", f"HEAD:refs/heads/round-{number}")
            racing.communicate()
        assert racing.returncode == 0
        there = remote.git("ls-tree", "-r", "refs/notes/pivot")
        assert all(note in there for note in notes), number


def add_a_note(repo: Repo, name: str) -> str:
    """A commit that only this clone has, with a line of its note; how the tree of notes names it."""
    tree = repo.git("rev-parse", "HEAD^{tree}")
    commit = repo.git("commit-tree", "-m", name, tree)
    repo.git("notes", "--ref=pivot", "add", "--message", f"{name} stale {tree[:12]}", commit)
    return f"{commit[:2]}/{commit[2:]}"
