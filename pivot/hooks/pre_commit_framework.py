"""Called by the pre-commit framework as one of its own hooks: what Git said stands in variables, input is empty."""

from __future__ import annotations

import os
from pathlib import Path

from pivot.git.plumbing.command import ask_git

ZERO = "0" * 40


def told_by_framework(name: str) -> tuple[list[str], list[str]]:
    """The arguments of a hook and the lines of its input, as Git gives them. Of a push it tells the first ref alone."""
    names = {
        "post-checkout": ("FROM_REF", "TO_REF", "CHECKOUT_TYPE"),
        "post-merge": ("IS_SQUASH_MERGE",),
        "post-rewrite": ("REWRITE_COMMAND",),
        "pre-push": ("REMOTE_NAME", "REMOTE_URL"),
    }
    return [_told(one) for one in names.get(name, ())], _pushed() if name == "pre-push" else []


def _pushed() -> list[str]:
    local, remote = _told("LOCAL_BRANCH"), _told("REMOTE_BRANCH")
    if not local or not remote:
        return []
    commit = ask_git(["rev-parse", "--verify", "--quiet", local], Path.cwd()).out.decode().strip()
    return [f"{local} {commit} {remote} {ZERO}"] if commit else []


def _told(name: str) -> str:
    return os.environ.get(f"PRE_COMMIT_{name}", "")
