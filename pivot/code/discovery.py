"""Where the pipelines of a repository are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_LEFT_OUT = {"node_modules", "__pycache__", "site-packages"}
_NAME = "pipeline.py"
_MARKS = {_NAME, "pyvenv.cfg", ".git"}


def find_pipelines(root: Path) -> list[str]:
    """Repository-relative paths of the pipeline files, sorted: each `pipeline.py`, and what `pyproject.toml` names."""
    return sorted({*_declared(root), *(folder + _NAME for folder, names in _walk(root) if _NAME in names)})


def pipelines_among(files: Iterable[str], declaring: str) -> list[str]:
    """As `find_pipelines`, from the list of files of a commit; `declaring` is the text of its `pyproject.toml`."""
    listed = set(files)
    closed = {path.rpartition("/")[0] for path in listed if path.endswith("/pyvenv.cfg")}
    found = {path for path in listed if path.rpartition("/")[2] == _NAME and _may_be_searched(path, closed)}
    return sorted(found | (set(_named(declaring)) & listed))


def looked_into(root: Path) -> list[str]:
    """Absolute paths of every folder that discovery lists, and of the file that may name pipelines."""
    return [str(root / "pyproject.toml"), *(str(root / folder) for folder, _ in _walk(root))]


def _walk(root: Path) -> Iterator[tuple[str, set[str]]]:
    """Each folder that may hold a pipeline ("" or with `/` at its end), with the names in it that matter."""
    todo = [""]
    while todo:
        folder = todo.pop()
        names, folders = _look(os.path.join(root, folder))  # noqa: PTH118
        if folder and ("pyvenv.cfg" in names or ".git" in names):
            names, folders = set(), []
        yield folder, names
        todo.extend(f"{folder}{name}/" for name in folders)


def _look(folder: str) -> tuple[set[str], list[str]]:
    """Names that matter in a folder, and the folders in it to look into."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
            names = {entry.name for entry in found} & _MARKS
            folders = [entry.name for entry in found if _may_hold(entry)]
    except OSError:
        return set(), []  # a folder that may not be read holds no pipeline that could be run
    return names, folders


def _may_hold(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name not in _LEFT_OUT and entry.is_dir(follow_symlinks=False)


def _may_be_searched(path: str, closed: set[str]) -> bool:
    """Whether the walk through the folders comes by a file; `closed` are folders that it does not look into."""
    folders = path.split("/")[:-1]
    above = {"/".join(folders[: depth + 1]) for depth in range(len(folders))}
    return not above & closed and not any(name.startswith(".") or name in _LEFT_OUT for name in folders)


def _declared(root: Path) -> list[str]:
    path = root / "pyproject.toml"
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return [one for one in _named(text) if (root / one).is_file()]


def _named(text: str) -> list[str]:
    """The pipelines that the text of a `pyproject.toml` names; none where it cannot be read."""
    import tomllib

    try:
        settings = tomllib.loads(text)
    except ValueError:
        return []
    return [str(one) for one in settings.get("tool", {}).get("pivot", {}).get("pipelines", [])]
