"""Paths of artifacts: as declared (relative to the pipeline's folder), and relative to the repository."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from pivot.errors import PipelineError
from pivot.pipeline.source_location import SourceLine

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FETCHABLE = ("http://", "https://")
_EXTERNAL = 'Write it relative to that folder; what lies outside can only be read: ExternalDep("/path", loader).'
_GIT_FOLDERS = frozenset({".git", "git~1"})


def check_external(path: str, where: SourceLine) -> str:
    """An absolute path or an http(s) URL, normalised.

    Raises:
        PipelineError: it is neither.
    """
    if path.startswith(_FETCHABLE):
        return path
    if _URL.match(path) or not path.startswith("/"):
        raise PipelineError(
            f"ExternalDep takes an absolute path or an http(s) URL, not {path}",
            where=where.text,
            hint="For a file of this repository write Dep; fetch other addresses in a stage of their own.",
        )
    return posixpath.normpath(path)


def check_path(path: str, prefix: str | None, where: SourceLine) -> str:
    """A declared path, normalised; a directory keeps its `/` at the end.

    `prefix` is the pipeline's folder relative to the repository, None where there is no repository.

    Raises:
        PipelineError: it is absolute, outside the repository, inside `.git`, or the pipeline's folder itself.
    """
    if "\0" in path:
        raise PipelineError(f"the path {path!r} contains a NUL character", where=where.text, hint="Take it out.")
    if path.startswith(("/", "~")) or _URL.match(path):
        raise PipelineError(
            f"the path {path} is not relative to the pipeline's folder", where=where.text, hint=_EXTERNAL
        )
    plain = posixpath.normpath(path)
    if plain == ".":
        raise PipelineError(
            f"the path {path} is the pipeline's folder itself",
            where=where.text,
            hint="Name a file or a folder inside it.",
        )
    if any(part.lower() in _GIT_FOLDERS for part in plain.split("/")):
        raise PipelineError(f"the path {path} is inside Git's own folder", where=where.text, hint="Name another path.")
    if prefix is not None:
        in_repository(plain, prefix, where)
    return plain + "/" if path.endswith("/") else plain


def in_repository(path: str, prefix: str, where: SourceLine) -> str:
    """The repository-relative POSIX path of a declared one, without a trailing slash.

    Raises:
        PipelineError: it is outside the repository, or the repository itself.
    """
    plain = posixpath.normpath(posixpath.join(prefix, path))
    if plain in {".", ".."} or plain.startswith("../"):
        said = "is the repository itself" if plain == "." else "is outside the repository"
        raise PipelineError(f"the path {path} {said}", where=where.text, hint=_EXTERNAL)
    return plain


@lru_cache(maxsize=256)
def prefix_of(root: Path, repository: Path) -> str:
    """The pipeline's folder relative to the repository, with `..` where it lies outside."""
    return posixpath.relpath(root.as_posix(), repository.as_posix())


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
