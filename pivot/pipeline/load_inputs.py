"""Inputs of a stage become the arguments of its function."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any, get_origin

from pivot.errors import InputError
from pivot.pipeline.artifacts import Dep
from pivot.pipeline.bound_artifacts import Input
from pivot.pipeline.loaders import JSON, YAML, PathOnly

TIMEOUT_SECONDS = 60
# What Git and the desktop put into a folder of data.
_NOT_DATA = frozenset({".DS_Store", ".gitattributes", ".gitignore", ".gitkeep"})


def load_input(bound: Input, folder: Path, stage: str) -> Any:
    """The value of one parameter.

    Raises:
        InputError: a path is missing or its loader cannot read it; the error names stage, key, path and annotation.
    """
    pairs = zip(bound.paths, bound.loaders, strict=True)
    values = [_load_path(bound, path, loader, folder, stage) for path, loader in pairs]
    if bound.shape == "one":
        return values[0]
    if isinstance(bound.artifact, Dep) and bound.shape == "dict":
        return dict(zip(bound.artifact.keys, values, strict=True))
    return values if bound.shape == "list" else tuple(values)


def _load_path(bound: Input, path: str, loader: Any, folder: Path, stage: str) -> Any:
    if path.startswith(("http://", "https://")):
        return _load_url(bound, path, loader, stage)
    file = folder / path
    if bound.kind == "incremental" and not file.exists():
        return file if isinstance(loader, PathOnly) else _empty(loader, bound.value_type)
    if not (file.is_symlink() and isinstance(loader, PathOnly)) and not file.exists():
        raise InputError(
            f"stage `{stage}` needs {path} for `{bound.key}`, which does not exist",
            where=bound.line.text,
            hint="Add the file, or register the stage that writes it.",
        )
    try:
        if path.endswith("/") and not isinstance(loader, PathOnly):
            return _load_folder(file, loader)
        return loader.load(file)
    except Exception as error:
        raise _unreadable(bound, path, stage, error) from error


def _load_folder(folder: Path, loader: Any) -> dict[str, Any]:
    """One value a file, as `DirectoryOut` writes them, sorted by key."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in _NOT_DATA)
    return {file.relative_to(folder).as_posix(): loader.load(file) for file in files}


def _unreadable(bound: Input, path: str, stage: str, error: Exception) -> InputError:
    hint = getattr(error, "hint", None) or "Mend the file, or name another loader."
    if isinstance(error, IsADirectoryError):
        hint = f'For a directory write Dep("{path}/", loader), or loaders.PathOnly().'
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, InputError):
        said = f"{error.where}: {error.what}" if error.where else error.what
    return InputError(
        f"stage `{stage}` cannot load `{bound.key}` from {path}: {said}", where=bound.line.text, hint=hint
    )


def _load_url(bound: Input, url: str, loader: Any, stage: str) -> Any:
    """Through a temporary file with the address's extension; with PathOnly that file stays for the stage's life."""
    # Rarely needed, and a third of what importing this package would cost.
    import shutil
    import tempfile
    import urllib.request
    from urllib.parse import urlsplit

    folder = Path(tempfile.mkdtemp(prefix="pivot-url-"))
    file = folder / (PurePosixPath(urlsplit(url).path).name or "file")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, file.open("wb") as copy:
            shutil.copyfileobj(answer, copy)
        return loader.load(file)
    except Exception as error:
        raise _unreadable(bound, url, stage, error) from error
    finally:
        if not isinstance(loader, PathOnly):
            shutil.rmtree(folder, ignore_errors=True)


def _empty(loader: Any, kind: Any) -> Any:
    """The value before the first run: formats that hold any value follow the annotated type."""
    plain = get_origin(kind) or kind
    if isinstance(loader, JSON | YAML) and plain in (dict, list, str, set, tuple):
        return plain()
    return loader.empty()


def nearest(folder: Path) -> Path:
    """The empty relative path where `folder` is the current one, so that a PathOnly value is the path as declared.

    A stage that writes such a path into its output then writes the same bytes in every checkout.
    """
    try:
        same = os.path.samefile(folder, os.curdir)  # noqa: PTH121 - Path.samefile would resolve both twice
    except OSError:
        return folder
    return Path() if same else folder
