"""Which files are the project's own code: those below the repository root, and those of editable distributions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_INSTALLED = ("site-packages", "dist-packages")


class ProjectFiles:
    """Answers for one repository; every answer about a folder is kept, since thousands of files share a few folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        real = os.path.realpath(root)
        self.roots = tuple(dict.fromkeys((str(root), real)))
        self._tops = self.roots + _editable_folders()
        self._prefixes = {os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix)} - set(self._tops)
        self._folders: dict[str, bool] = {}

    def owns(self, path: str) -> bool:
        """Whether `path` (absolute) is code of the project."""
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
        """`path` relative to the repository with `/`; as it is when it lies outside."""
        for root in self.roots:
            if path.startswith(root + os.sep):
                return path[len(root) + 1 :].replace(os.sep, "/")
        return path


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
