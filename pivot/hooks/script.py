"""The one script that stands behind every hook, with the places of this installation filled in."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from pivot.errors import ProjectError

NAMES = ("post-checkout", "post-commit", "post-merge", "post-rewrite", "pre-push")
SERVER_NAMES = ("pre-receive", "post-receive")
GUARD = "pre-receive"  # the one whose failure stops Git
MARK = "# git-pivot hook v"

_PACKAGE = Path(__file__).resolve().parent.parent
# In the wheel, and in the source tree.
_PLACES = (_PACKAGE / "hook_scripts" / "git-pivot-hook", _PACKAGE.parent / "hooks" / "git-pivot-hook")


def script_text() -> str:
    """The script as it is installed: it calls this very Python and this very Pivot, whatever PATH a GUI has.

    Raises:
        ProjectError: the installation lacks the script.
    """
    found = next((place for place in _PLACES if place.is_file()), None)
    if found is None:
        raise ProjectError("this installation lacks the hook script", where=str(_PLACES[0]), hint="Install it anew.")
    text = found.read_text(encoding="utf-8")
    places = {"@PYTHON@": sys.executable, "@PIVOT@": str(_PACKAGE / "__main__.py")}
    for name, place in places.items():
        text = text.replace(name, shlex.quote(place))
    return text


def is_ours(path: Path) -> bool:
    """Whether a hook file is Pivot's, of whatever version."""
    try:
        return MARK in path.read_text("utf-8", "replace")[:200]
    except OSError:
        return False


def write_script(path: Path, text: str) -> bool:
    """Put the script at `path`, executable, in one step; whether that was new."""
    if path.is_file() and path.read_text("utf-8", "replace") == text and os.access(path, os.X_OK):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".pivot-tmp-{os.getpid()}-{path.name}")
    temp.write_text(text, encoding="utf-8")
    temp.chmod(0o755)
    temp.replace(path)
    return True
