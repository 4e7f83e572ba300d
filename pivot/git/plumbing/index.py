"""What Git says of paths in the work tree: tracked or not, as at HEAD or not, hidden from it or not."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.locate import RepositoryLocation

# Why a path's bytes are not known to be those of HEAD.
Difference = Literal["changed", "untracked", "hidden"]

_AT_ONCE = 500  # paths in one call: far below the shortest limit on a command line


def tracked(location: RepositoryLocation, paths: Iterable[str]) -> set[str]:
    """Those of these repository-relative paths that Git tracks, or that hold something that it tracks.

    Raises:
        GitError: the index cannot be read.
    """
    asked = {path.rstrip("/") for path in paths}
    return asked & _with_folders(_split(_ask(location, ["ls-files", "-z", "--cached"], sorted(asked))))


class TrackedPaths:
    """Which paths Git tracks, asked again only when the index has changed.

    With `fold_case` (`core.ignoreCase`) spellings that such a file system takes for one path are one path.
    """

    def __init__(self, location: RepositoryLocation, *, fold_case: bool = False) -> None:
        self._location = location
        self._fold_case = fold_case
        self._asked: set[str] = set()
        self._found: set[str] = set()
        self._seen: tuple[int, ...] | None = ()

    def of(self, paths: Iterable[str]) -> set[str]:
        """Those that Git tracks, or that hold something that it tracks.

        Raises:
            GitError: the index cannot be read.
        """
        wanted = set(paths)
        if (now := self._index()) != self._seen or not wanted <= self._asked:
            asked = wanted if now != self._seen else self._asked | wanted
            self._found = self._folded(asked) if self._fold_case else tracked(self._location, asked)
            self._asked, self._seen = asked, now
        return wanted & self._found

    def _folded(self, asked: set[str]) -> set[str]:
        held = {
            fold(path) for path in _with_folders(_split(_ask(self._location, ["ls-files", "-z", "--cached"], ["."])))
        }
        return {path for path in asked if fold(path) in held}

    def _index(self) -> tuple[int, ...] | None:
        try:
            stat = (self._location.git_dir / "index").stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def fold(path: str) -> str:
    """One spelling of a path for a file system that folds case and Unicode forms."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def differences(location: RepositoryLocation, paths: Iterable[str]) -> dict[str, Difference]:
    """Those of these files and folders whose bytes are not known to be HEAD's: untracked, else hidden, else changed.

    A folder counts by everything in it, ignored files included. `hidden`: marked skip-worktree or assume-unchanged,
    so that Git would not notice a change.

    Raises:
        GitError: the index cannot be read.
    """
    asked = sorted({path.rstrip("/") for path in paths})
    if not asked:
        return {}
    listed = [(entry[0], entry[2:]) for entry in _split(_ask(location, ["ls-files", "-z", "-v", "-c", "-o"], asked))]
    known = [path for tag, path in listed if tag != "?"]
    reasons: dict[Difference, set[str]] = {
        "changed": _with_folders(_changed(location, asked, known)),
        "hidden": _with_folders(path for tag, path in listed if tag == "S" or tag.islower()),
        "untracked": _with_folders(path for tag, path in listed if tag == "?") | set(asked) - _with_folders(known),
    }
    return {path: why for why, differing in reasons.items() for path in asked if path in differing}


def converted(location: RepositoryLocation, paths: Iterable[str]) -> list[str]:
    """Files at or below these paths whose line endings in the work tree are not those of the blob.

    `git status` calls such a file clean, and a clone with other settings has other bytes. Where an attribute names
    the line ending (`eol=crlf`), every clone has the same bytes.

    Raises:
        GitError: the index cannot be read.
    """
    rows = (row.partition("\t") for row in _split(_ask(location, ["ls-files", "-z", "--eol"], sorted(set(paths)))))
    return [path for told, _, path in rows if _is_converted(told)]


def _is_converted(told: str) -> bool:
    """From `i/lf    w/crlf  attr/text=auto`."""
    index, work_tree, *attributes = told.split()
    ending, stands = index.removeprefix("i/"), work_tree.removeprefix("w/")
    return bool(ending and stands) and ending != stands and not any("eol=" in one for one in attributes)


def is_as_committed(location: RepositoryLocation) -> bool:
    """Whether all that Git tracks stands in the work tree as it is at HEAD.

    Raises:
        GitError: the index cannot be read.
    """
    return not _changed(location, ["."], ["."])


def _changed(location: RepositoryLocation, asked: Sequence[str], known: list[str]) -> list[str]:
    if location.read_ref("HEAD") is None:
        return known  # nothing is committed yet
    # Not `git diff`: it compares as well, but writes the index whatever `--no-optional-locks` says (2.39).
    args = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=none"]
    return [entry[3:] for entry in _split(_ask(location, args, asked))]


def _with_folders(paths: Iterable[str]) -> set[str]:
    """These paths and every folder above one of them."""
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]  # noqa: PLW2901
    return found


def _ask(location: RepositoryLocation, args: Sequence[str], paths: Sequence[str]) -> bytes:
    if location.root is None:
        return b""
    env = location.environment()
    # `--no-optional-locks`: reading must not make a concurrent command of the user fail on index.lock.
    options = ["--literal-pathspecs", "--no-optional-locks", "-c", "core.quotePath=false"]
    return b"".join(run_git([*options, *args, "--", *chunk], location.root, env=env) for chunk in _chunks(paths))


def _chunks(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(paths), _AT_ONCE):
        yield paths[start : start + _AT_ONCE]


def _split(output: bytes) -> list[str]:
    return [item for item in os.fsdecode(output).split("\0") if item]
