"""Which files are pipeline files: `pipeline.py`, the `__init__.py` of a package that sets `pipeline`, and what
`[tool.pivot] pipelines` of a `pyproject.toml` lists."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pivot.errors import SettingError
from pivot.pipeline.spec import PACKAGE_FILE, PIPELINE_FILE

PROJECT_FILE = "pyproject.toml"
GLOB = re.compile(r"[*?\[]")
_SETS_PIPELINE = re.compile(rb"^pipeline[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


class Files(NamedTuple):
    """A tree of files, on disk or of a commit: `read` gives the bytes at a path, None where no file is."""

    read: Callable[[str], bytes | None]
    is_file: Callable[[str], bool]


def on_disk(root: Path) -> Files:
    return Files(lambda file: _bytes_of(root / file), lambda file: (root / file).is_file())


def is_pipeline_file(root: Path, file: str) -> bool:
    """Whether a repository-relative path is a pipeline file by its name or content, without a look at others."""
    files = on_disk(root)
    own = file.rpartition("/")[2] in (PIPELINE_FILE, PACKAGE_FILE) and named_by(files, file)
    return bool(own) or file in _declared_above(files, file)


def shares_folder(root: Path, file: str) -> bool:
    """Whether another pipeline file stands in the folder of this one."""
    folder = file[: file.rfind("/") + 1]
    beside = [*(folder + name for name in (PIPELINE_FILE, PACKAGE_FILE)), *_declared_above(on_disk(root), file)]
    others = (one for one in beside if one != file and one[: one.rfind("/") + 1] == folder)
    return any(is_pipeline_file(root, one) for one in others)


def named_by(files: Files, file: str) -> list[str]:
    """The pipeline files, or globs for them, that a file names: itself, or what a `pyproject.toml` lists.

    Raises:
        SettingError: the list cannot be read, or names nothing.
    """
    folder, name = file[: file.rfind("/") + 1], file.rpartition("/")[2]
    if name == PIPELINE_FILE:
        return [file] if files.is_file(file) else []
    data = files.read(file)
    if data is None:
        return []
    if name == PACKAGE_FILE:
        return [file] if folder and _SETS_PIPELINE.search(data) else []
    return [path for entry in _listed(data, file) for path in _entry(files, folder, entry, file)]


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _declared_above(files: Files, file: str) -> Iterator[str]:
    for folder in _folders_above(file):
        yield from named_by(files, f"{folder}{PROJECT_FILE}")


def _folders_above(file: str) -> Iterator[str]:
    while file:
        file = file[: file.rstrip("/").rfind("/") + 1]
        yield file


def _listed(data: bytes, file: str) -> list[str]:
    if b"pivot" not in data:
        return []
    import tomllib

    try:
        settings = tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        raise SettingError(f"it cannot be read: {error}", where=file, hint="Mend the file.") from error
    listed = settings.get("tool", {}).get("pivot", {}).get("pipelines", [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise SettingError(
            "`pipelines` of [tool.pivot] is no list of paths", where=file, hint='Write pipelines = ["flows/daily.py"].'
        )
    return listed


def _entry(files: Files, folder: str, entry: str, where: str) -> Iterator[str]:
    """A file as it is, the pipeline file of a folder, or a glob as it is, to be expanded at each look."""
    path = os.path.normpath(folder + entry).replace(os.sep, "/")
    inside = [path, f"{path}/{PIPELINE_FILE}", f"{path}/{PACKAGE_FILE}"]
    found = [path] if GLOB.search(entry) else [one for one in inside if files.is_file(one)][:1]
    if path.startswith(("../", "/")) or not found:
        raise SettingError(
            f"`pipelines` of [tool.pivot] lists {entry}, where no file of this repository is",
            where=where,
            hint="A path is relative to the folder of the pyproject.toml.",
        )
    yield from found
