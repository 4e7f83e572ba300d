"""Why a path that Git has is not in the working tree, and the command that brings it there.

Asked only of an input that is missing: each answer takes a few calls of Git.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from pivot.git.plumbing.command import ask_git, placeless_environment
from pivot.git.plumbing.locate import RepositoryLocation

_SUBMODULE = "160000"
_QUIET = ("--literal-pathspecs", "--no-optional-locks")


def why_absent(location: RepositoryLocation, path: str) -> str:
    """A sentence on a repository-relative path that is missing or an empty folder; empty if Git does not have it."""
    if location.root is None:
        return ""
    inner = _innermost(location.root, path)
    environment = placeless_environment() if inner else location.environment()
    return _Files(location.root / inner, inner, environment).why(os.path.relpath(path, inner or "."))


def _innermost(root: Path, path: str) -> str:
    """The deepest initialised submodule above a path; empty if it is in the repository itself."""
    return next((above for above in _above(path) if (root / above / ".git").exists()), "")


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


class _Files:
    """The index of one repository: this one, or a submodule at `inside` of it."""

    def __init__(self, root: Path, inside: str, environment: dict[str, str]) -> None:
        self._root = root
        self._env = environment
        self._git = f"git -C {shlex.quote(inside)}" if inside else "git"
        self._inside = f"{inside}/" if inside else ""

    def why(self, path: str) -> str:
        if submodule := self._submodule(path):
            command = f"{self._git} submodule update --init {shlex.quote(submodule)}"
            name = f"{self._inside}{submodule}"
            return f"Git has it in the submodule {name}, which is not initialised; run `{command}`"
        rows = self._rows(path)
        if any(tag == "S" for tag, _, _ in rows):
            return self._left_out(path, is_file=rows[0][2] == path)
        if (self._root / path).exists():
            return ""
        if rows:
            return f"Git has it, and it is deleted here; run `{self._git} restore {shlex.quote(path)}`"
        if self._ask("ls-tree", "HEAD", "--", path):
            return f"the last commit has it; run `{self._git} checkout HEAD -- {shlex.quote(path)}`"
        return ""

    def _submodule(self, path: str) -> str:
        """The submodule that a path is or is in, if it is not initialised: its folder is empty or is not there."""
        for each in (path, *_above(path)):
            empty = not (self._root / each).is_dir() or not any((self._root / each).iterdir())
            rows = self._rows(each) if empty else []
            if rows and rows[0][1:] == (_SUBMODULE, each) and rows[0][0] != "S":
                return each
        return ""

    def _left_out(self, path: str, *, is_file: bool) -> str:
        if self._ask("config", "--type=bool", "core.sparseCheckout").strip() != "true":
            name = shlex.quote(path)
            command = f"{self._git} update-index --no-skip-worktree {name}` and `{self._git} checkout -- {name}"
            return f"Git has it, marked skip-worktree; run `{command}`"
        folder = path.rpartition("/")[0] or f"/{path}" if is_file else path
        bring = f"`{self._git} sparse-checkout add {shlex.quote(folder)}`"
        return f"Git has it, and sparse checkout leaves it out; run {bring}, or `{self._git} sparse-checkout disable`"

    def _rows(self, path: str) -> list[tuple[str, str, str]]:
        """Tag, mode and path of each entry of the index at or below a path."""
        rows = (row.partition("\t") for row in self._ask("ls-files", "-s", "-t", "-z", "--", path).split("\0") if row)
        return [(fields[:1], fields[2:8], name) for fields, _, name in rows]

    def _ask(self, *args: str) -> str:
        answer = ask_git([*_QUIET, *args], self._root, env=self._env)
        return "" if answer.code else os.fsdecode(answer.out)
