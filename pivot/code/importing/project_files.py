"""Which files are the project's own code: all but the standard library and what is installed the usual way.

Code outside the repository (editable installs, `PYTHONPATH`, lines that change `sys.path`) counts as well. Its files
have a name that is the same on every machine: `<outside>/` and the path from the folder that Python imports them from.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = str(Path(__file__).resolve().parents[2]) + os.sep
OUTSIDE = "<outside>/"
"""What the name of a file outside the repository begins with."""
_INSTALLED = ("site-packages", "dist-packages")
_STANDARD = str(Path(os.__file__).parent)


class ProjectFiles:
    """Answers for one repository; every answer about a folder is kept, since thousands of files share a few folders."""

    def __init__(self, root: Path, outside: str = "count") -> None:
        self.root = root
        self.outside = outside
        real = os.path.realpath(root)
        self.roots = tuple(dict.fromkeys((str(root), real)))
        self._editable: tuple[str, ...] | None = None
        self._look()

    def _look(self) -> None:
        """Note which folders hold code of the project; a pipeline may add some, or finders, while it is imported."""
        self._path, self._finders = list(sys.path), list(sys.meta_path)
        if self._editable is None or not self._path:
            self._editable = _editable_folders()
        found = (*_search_folders(self._path), *_mapped_folders(), *self._editable)
        beyond = [one for one in found if not self.holds(one)] if self.outside != "ignore" else []
        self._beyond = sorted({*beyond, *map(os.path.realpath, beyond)}, key=len, reverse=True)
        tops = {*self.roots, *self._beyond}
        self._tops = tops
        self._prefixes = {_STANDARD, *(os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix))} - tops
        self._folders: dict[str, bool] = {}

    def holds(self, path: str) -> bool:
        """Whether `path` is in the repository."""
        return any(path == root or path.startswith(root + os.sep) for root in self.roots)

    def owns(self, path: str) -> bool:
        """Whether `path` (absolute) is code of the project."""
        if sys.path != self._path or sys.meta_path != self._finders:
            self._look()
        return self._owns_folder(os.path.dirname(path))  # noqa: PTH120 (called for every frame; pathlib is ten times slower)

    def _owns_folder(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._judge(folder)
        return known

    def _judge(self, folder: str) -> bool:
        if not folder.startswith(os.sep) and not Path(folder).is_absolute():
            return False
        if (folder + os.sep).startswith(PACKAGE):
            return False
        if folder in self._prefixes or Path(folder).name in _INSTALLED or Path(folder, "pyvenv.cfg").exists():
            return False
        if folder in self._tops:
            return True
        parent = str(Path(folder).parent)
        return parent != folder and self._owns_folder(parent)

    def relative(self, path: str) -> str:
        """`path` relative to the repository with `/`, or its name outside; as it is if it is no code of the project."""
        for root in self.roots:
            if path.startswith(root + os.sep):
                return path[len(root) + 1 :].replace(os.sep, "/")
        if self._beyond and self.owns(path):
            for top in self._beyond:
                if path.startswith(top + os.sep):
                    return OUTSIDE + path[len(top) + 1 :].replace(os.sep, "/")
        return path

    def locate(self, name: str) -> Path:
        """The file of a name that `relative` has given."""
        if not name.startswith(OUTSIDE):
            return self.root / name
        tries = [Path(top, name.removeprefix(OUTSIDE)) for top in self._beyond]
        return next((one for one in tries if one.is_file()), tries[0] if tries else self.root / name)


def _search_folders(entries: Iterable[str]) -> Iterator[str]:
    """Folders of `sys.path` that hold neither the standard library nor installed distributions."""
    for entry in entries:
        if not os.path.isabs(entry) or Path(entry).name in (*_INSTALLED, "lib-dynload") or entry == _STANDARD:  # noqa: PTH117
            continue
        if (entry + os.sep).startswith(PACKAGE) or PACKAGE.startswith(entry.rstrip(os.sep) + os.sep):
            continue
        if os.path.isdir(entry) and not any(one.endswith(".dist-info") for one in os.listdir(entry)):  # noqa: PTH112, PTH208
            yield entry.rstrip(os.sep)


def _mapped_folders() -> Iterator[str]:
    """What the finders of PEP 660 lead to: setuptools installs one for each editable distribution."""
    for name, module in list(sys.modules.items()):
        mapping = getattr(module, "MAPPING", None) if name.startswith("__editable___") else None
        for path in mapping.values() if isinstance(mapping, dict) else ():
            folder = str(Path(path).parent)
            if not PACKAGE.startswith(folder + os.sep):
                yield folder


def _editable_folders() -> tuple[str, ...]:
    """Folders of distributions installed in editable mode (PEP 610), Pivot's own left out."""
    found = []
    for entry in sys.path:
        if not entry or Path(entry).name not in _INSTALLED:
            continue
        for origin in Path(entry).glob("*.dist-info/direct_url.json"):
            folder = _editable_folder(origin)
            if folder and not PACKAGE.startswith(folder + os.sep):
                found.append(folder)
    return tuple(found)


def _editable_folder(origin: Path) -> str | None:
    import json
    from urllib.parse import unquote, urlparse

    try:
        told = json.loads(origin.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # a damaged installation is no project code
    if not told.get("dir_info", {}).get("editable") or not str(told.get("url", "")).startswith("file:"):
        return None
    return os.path.realpath(unquote(urlparse(told["url"]).path))
