"""The work trees that share a repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.locate import RepositoryLocation


class WorkTree(NamedTuple):
    """One work tree; `head` is None before its first commit, `branch` for a detached HEAD."""

    root: Path
    head: str | None
    branch: str | None


def list_work_trees(location: RepositoryLocation) -> list[WorkTree]:
    """All work trees that are still there, the main one first; a bare repository is none.

    Raises:
        GitError: the repository cannot be read.
    """
    listed = os.fsdecode(run_git(["worktree", "list", "--porcelain"], location.folder, env=location.environment()))
    found = (_parse(block) for block in listed.split("\n\n") if block.strip())
    return [tree for tree in found if tree and tree.root.is_dir()]


def _parse(block: str) -> WorkTree | None:
    fields = dict(line.partition(" ")[::2] for line in block.strip().split("\n"))
    if "bare" in fields:
        return None
    head = fields.get("HEAD", "")
    branch = fields.get("branch", "").removeprefix("refs/heads/")
    return WorkTree(Path(fields["worktree"]), head if head.strip("0") else None, branch or None)
