"""Paths of artifacts: as declared (relative to the pipeline's folder), and relative to the repository."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from pathlib import Path

from pivot.errors import PipelineError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FETCHABLE = ("http://", "https://")
_GIT_FOLDERS = frozenset({".git", "git~1"})


def check_external(path: str, where: str) -> str:
    """An absolute path or an http(s) URL, normalised.

    Raises:
        PipelineError: it is neither.
    """
    if path.startswith(_FETCHABLE):
        return path
    if _URL.match(path) or not path.startswith("/"):
        raise PipelineError(
            f"ExternalDep takes an absolute path or an http(s) URL, not {path}",
            where=where,
            hint="For a file of this repository write Dep; fetch other addresses in a stage of their own.",
        )
    return posixpath.normpath(path)


def check_path(path: str, root: Path, repository: Path | None, where: str) -> str:
    """A declared path, normalised; a directory keeps its `/` at the end.

    Raises:
        PipelineError: it is absolute, outside the repository, inside `.git`, or the pipeline's folder itself.
    """
    hint = 'For data outside the repository write ExternalDep("/absolute/path", loader).'
    if "\0" in path:
        raise PipelineError(f"the path {path!r} contains a NUL character", where=where, hint="Take it out.")
    if path.startswith(("/", "~")) or _URL.match(path):
        raise PipelineError(f"the path {path} is not relative to the pipeline's folder", where=where, hint=hint)
    plain = posixpath.normpath(path)
    if plain == ".":
        raise PipelineError(
            f"the path {path} is the pipeline's folder itself", where=where, hint="Name a file or a folder inside it."
        )
    if any(part.lower() in _GIT_FOLDERS for part in plain.split("/")):
        raise PipelineError(f"the path {path} is inside Git's own folder", where=where, hint="Name another path.")
    if repository and not is_inside(root / plain, repository):
        raise PipelineError(f"the path {path} is outside the repository", where=where, hint=hint)
    return plain + "/" if path.endswith("/") else plain


def is_inside(path: Path, repository: Path) -> bool:
    """Whether the path, read without following links, lies below the repository (not: is the repository)."""
    plain = Path(os.path.normpath(path))
    return plain != repository and plain.is_relative_to(repository)


def in_repository(path: str, root: Path, repository: Path, where: str) -> str:
    """The repository-relative POSIX path of a declared one, without a trailing slash.

    Raises:
        PipelineError: it is outside the repository.
    """
    check_path(path, root, repository, where)
    return Path(os.path.normpath(root / path)).relative_to(repository).as_posix()


class PathKey:
    """When two spellings are one path: links in parent folders resolved, Unicode form NFC, case where it is folded.

    Call it with a repository-relative path. Folders are resolved once, so make a new one for a new look.
    """

    __slots__ = ("_fold_case", "_folders", "_root")

    def __init__(self, root: Path, *, fold_case: bool = False) -> None:
        self._root = os.path.realpath(root)
        self._fold_case = fold_case
        self._folders: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = self._resolve(folder)
        found = posixpath.join(self._folders[folder], name)
        plain = unicodedata.normalize("NFC", found)
        return plain.casefold() if self._fold_case else plain

    def _resolve(self, folder: str) -> str:
        real = os.path.realpath(os.path.join(self._root, folder))  # noqa: PTH118 - many paths, plain strings are fast
        if real == self._root:
            return ""
        inside = real.removeprefix(self._root + os.sep)
        # A link that leads out of the repository: the name that the user gave is all there is to compare.
        return inside if inside != real else folder
