"""Which implementation of `Backend` opens a repository."""

from __future__ import annotations

import os
from pathlib import Path

from pivot.errors import GitError
from pivot.git.backend import Backend
from pivot.git.program import ProgramBackend
from pivot.git.refs import uses_reftable


def open_backend(git_dir: Path, common_dir: Path) -> Backend:
    """libgit2 where it can, the `git` program for what libgit2 refuses: SHA-256, reftable, unknown extensions.

    Raises:
        ProjectError: Git refuses it as well, such as a repository that another user owns.
    """
    # Within a receive, libgit2 does not see the incoming objects and would let a ref lead to one that is then dropped.
    if "GIT_QUARANTINE_PATH" in os.environ or uses_reftable(common_dir):
        return ProgramBackend(git_dir, common_dir)
    from pivot.git.libgit import LibgitBackend

    try:
        return LibgitBackend(git_dir, common_dir)
    except GitError:
        return ProgramBackend(git_dir, common_dir)
