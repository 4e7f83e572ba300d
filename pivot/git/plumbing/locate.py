"""Where the repository is, found as Git finds it, but without a process in every ordinary case."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from pivot.errors import ProjectError
from pivot.git.plumbing.command import ask_git
from pivot.git.plumbing.ownership import owned_by_me
from pivot.git.plumbing.refs import read_ref, read_symbolic

# Any of these moves the repository away from where walking up finds it.
_MOVES_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
)
# `core.worktree` moves the work tree, `core.bare` takes it away: such a repository is left to `git` to explain.
_MOVES_WORK_TREE = re.compile(rb"^\s*(?:worktree\b|bare\b(?!\s*=\s*false\b))", re.IGNORECASE | re.MULTILINE)


class RepositoryLocation(Struct, frozen=True):
    """A repository on disk, in absolute paths: the `root` of the work tree (None: bare), and where Git keeps it."""

    root: Path | None
    git_dir: Path
    common_dir: Path

    @property
    def folder(self) -> Path:
        """Where to call `git`: in the work tree, or in the bare repository itself."""
        return self.root or self.git_dir

    @property
    def pivot_dir(self) -> Path:
        """What Pivot keeps for this work tree: `git rev-parse --git-path pivot`."""
        return self.git_dir / "pivot"

    @property
    def store_dir(self) -> Path:
        """Where the store stands unless `pivot.store` says otherwise; shared by all work trees."""
        return self.common_dir / "pivot" / "store.git"

    def read_ref(self, name: str) -> str | None:
        """The id that a ref (or HEAD) holds, read from its file; None where there is none yet."""
        return read_ref(self.common_dir, self.git_dir, name)

    def branch(self) -> str | None:
        """The branch that is checked out, such as `main`; None for a detached HEAD."""
        name = read_symbolic(self.git_dir)
        return name.removeprefix("refs/heads/") if name else None

    def environment(self) -> dict[str, str]:
        """This process's environment, in which a call of `git` from any folder means this repository."""
        env = dict(os.environ)
        if "GIT_DIR" in env or "GIT_WORK_TREE" in env:
            env["GIT_DIR"] = str(self.git_dir)
            if self.root:
                env["GIT_WORK_TREE"] = str(self.root)
        return env


def locate(start: Path) -> RepositoryLocation:
    """The repository that `start` lies in.

    Raises:
        ProjectError: there is none, or Git does not trust it (another owner).
    """
    start = start.resolve()
    if any(name in os.environ for name in _MOVES_REPOSITORY):
        return _ask(start)
    for folder in _upward(start):
        dot_git = folder / ".git"
        if dot_git.exists():
            return _ordinary(start, folder, dot_git) or _ask(start)
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            return _ask(start)  # a bare repository, or Git's own folder
    raise _no_repository(start)


def _upward(start: Path) -> list[Path]:
    """`start` and its parents, up to the folders that GIT_CEILING_DIRECTORIES closes."""
    listed = os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    ceilings = {Path(folder).resolve() for folder in listed if folder.startswith("/")}
    folders = [start]
    for parent in start.parents:
        if parent in ceilings:
            break
        folders.append(parent)
    return folders


def _ordinary(start: Path, root: Path, dot_git: Path) -> RepositoryLocation | None:
    """The location, if nothing about it is unusual; Git is asked about the rest."""
    if not owned_by_me(root, dot_git):
        return None
    git_dir = dot_git if dot_git.is_dir() else _linked(dot_git)
    if git_dir is None or not owned_by_me(git_dir) or not (git_dir / "HEAD").exists():
        return None
    common_dir = _common_dir(git_dir)
    if not (common_dir / "objects").is_dir() or not (common_dir / "refs").is_dir():
        return None
    if start.stat().st_dev != root.stat().st_dev:
        return None
    if any(_MOVES_WORK_TREE.search(_read(file)) for file in (common_dir / "config", git_dir / "config.worktree")):
        return None
    return RepositoryLocation(root, git_dir, common_dir)


def _linked(dot_git: Path) -> Path | None:
    """The folder that a `.git` file names, as in linked work trees and submodules."""
    text = os.fsdecode(_read(dot_git))
    if not text.startswith("gitdir: "):
        return None
    return (dot_git.parent / text.removeprefix("gitdir: ").rstrip("\r\n")).resolve()


def _common_dir(git_dir: Path) -> Path:
    text = os.fsdecode(_read(git_dir / "commondir")).rstrip("\r\n")
    return (git_dir / text).resolve() if text else git_dir


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""


def _ask(start: Path) -> RepositoryLocation:
    # One call: in a bare repository the last question fails, after the first two are answered.
    answer = ask_git(["rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-toplevel"], _nearest_folder(start))
    lines = os.fsdecode(answer.out).removesuffix("\n").split("\n")
    if len(lines) < 2:
        raise refusal(start, answer.complaint)
    git_dir, common_dir = Path(lines[0]), (start / lines[1]).resolve()
    return RepositoryLocation(Path(lines[2]).resolve() if len(lines) == 3 else None, git_dir.resolve(), common_dir)


def _nearest_folder(start: Path) -> Path:
    return start if start.is_dir() else start.parent


def refusal(start: Path, complaint: str) -> ProjectError:
    """The error for a repository that Git does not open, with Git's own sentence."""
    if "not a git repository" in complaint:
        return _no_repository(start)
    if "dubious ownership" in complaint:
        owned = complaint.partition(" at ")[2].strip("'")
        return ProjectError(
            f"{complaint} (another user owns it)", hint=f"git config --global --add safe.directory '{owned}'"
        )
    return ProjectError(f"Git cannot use this repository: {complaint}", where=str(start))


def _no_repository(start: Path) -> ProjectError:
    return ProjectError("this folder is in no Git repository", where=str(start), hint="git init")
