"""What Python programs that a stage has started report: see `child_site/sitecustomize.py`."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from pivot.worker.child_site.sitecustomize import REPORT, REPORT_LIMIT, ROOT

_SITE = str(Path(__file__).parent / "child_site")
_VERBS = ("reads", "writes", "runs", "imports")
_FORGOTTEN = 86_400.0
"""Seconds after which a folder is one that a killed command has left; no stage starts later in a live one."""


def make_folder(folder: str) -> None:
    """Make the folder for the reports of one server, and remove what was left; a full disk costs only the reports."""
    path = Path(folder)
    with contextlib.suppress(OSError):
        path.mkdir(mode=0o700, parents=True)
        for other in path.parent.iterdir():
            if other.lstat().st_mtime < time.time() - _FORGOTTEN:
                shutil.rmtree(other, ignore_errors=True)


def remove_folder(folder: str) -> None:
    """Whatever still runs reports nothing from now on."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def ask_children(report: str, root: str) -> dict[str, str | None]:
    """Let the Python programs that this process starts report; the variables that this changes, as they were."""
    os.close(os.open(report, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    path = os.environ.get("PYTHONPATH")
    wanted = {REPORT: report, ROOT: root, "PYTHONPATH": f"{_SITE}{os.pathsep}{path}" if path else _SITE}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    return before


def read_report(report: str) -> Iterator[tuple[str, str, str]]:
    """Verb, absolute path, place; a record that is none ends the report, and so does its greatest size."""
    try:
        descriptor = os.open(report, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # the user's code has removed it
    with os.fdopen(descriptor, "rb") as file:
        fields = os.fsdecode(file.read(REPORT_LIMIT)).split("\0")
    with contextlib.suppress(OSError):
        os.unlink(report)  # noqa: PTH108
    for verb, path, place in zip(fields[0::3], fields[1::3], fields[2:-1:3], strict=False):
        if verb not in _VERBS:
            return
        yield verb, path, place
