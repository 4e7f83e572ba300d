"""Which implementation of `Backend` opens a repository."""

from __future__ import annotations

import os
from pathlib import Path

from pivot.errors import GitError
from pivot.git.odb.backend import Backend
from pivot.git.odb.process_backend import ProgramBackend
from pivot.git.plumbing.locate import locate
from pivot.git.plumbing.refs import uses_reftable


def open_backend(git_dir: Path, common_dir: Path) -> Backend:
    """libgit2 where it can, the `git` program for what libgit2 refuses: SHA-256, reftable, unknown extensions.

    Raises:
        ProjectError: Git refuses it as well, such as a repository that another user owns.
    """
    # Within a receive, libgit2 does not see the incoming objects and would let a ref lead to one that is then dropped.
    if "GIT_QUARANTINE_PATH" in os.environ or uses_reftable(common_dir):
        return ProgramBackend(git_dir, common_dir)
    from pivot.git.odb.libgit_backend import LibgitBackend

    try:
        return LibgitBackend(git_dir, common_dir)
    except GitError:
        # With `--git-dir` Git trusts every owner: ask it as it would be asked by a user who stands there.
        locate(_work_tree(git_dir))
        program = ProgramBackend(git_dir, common_dir)
        program.check()
        return program


def open_reader(git_dir: Path, common_dir: Path) -> Backend:
    """For a command that only looks: the `git` program reads as fast as libgit2, and needs no 80 ms to import.

    The place must come from `locate`, which has asked whether Git trusts the repository's owner.
    """
    return ProgramBackend(git_dir, common_dir)


def _work_tree(git_dir: Path) -> Path:
    """Where a user of this repository stands: its work tree, or the bare repository itself."""
    if git_dir.name == ".git":
        return git_dir.parent
    linked = git_dir / "gitdir"  # of a linked work tree: the path of its `.git` file
    return Path(os.fsdecode(linked.read_bytes()).rstrip("\n")).parent if linked.is_file() else git_dir
