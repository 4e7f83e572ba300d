"""Where the pipelines of a repository are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_LEFT_OUT = {"node_modules", "__pycache__", "site-packages"}
_NAME = "pipeline.py"
_MARKS = {_NAME, "pyvenv.cfg", ".git"}


def find_pipelines(root: Path) -> list[str]:
    """Repository-relative paths of the pipeline files, sorted: each `pipeline.py`, and what `pyproject.toml` names."""
    return sorted({*_declared(root), *(folder + _NAME for folder, names in _walk(root) if _NAME in names)})


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


def _declared(root: Path) -> list[str]:
    path = root / "pyproject.toml"
    if not path.exists():
        return []
    import tomllib

    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    listed = settings.get("tool", {}).get("pivot", {}).get("pipelines", [])
    return [str(one) for one in listed if (root / str(one)).is_file()]
