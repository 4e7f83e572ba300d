"""What to do about a module that the project imports and this Python does not have."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def advise(error: BaseException, folder: Path) -> str | None:
    """A sentence with the environment that was used, and the project's if that is another; None for other errors.

    `folder` is the one of the pipeline.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    used, own = Path(sys.prefix), project_environment(folder)
    if own is None or own.resolve() == used.resolve():
        name = error.name.partition(".")[0]
        return (
            f"The Python of {used} was used. If `{name}` is a library, install it there: run "
            f"`{sys.executable} -m pip install` with the name of its distribution."
        )
    where = _install_command(own, folder)
    return (
        f"The Python of {used} was used, since Pivot is installed there. The environment of the project is {own}. "
        f"Install Pivot in that one with `{where}`, and run its `git-pivot`."
    )


def project_environment(folder: Path) -> Path | None:
    """The active environment, else the `.venv` of the folder or of one above it in the repository."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if active := os.environ.get(name):
            return Path(active)
    for place in (folder, *folder.parents):
        if (place / ".venv" / "pyvenv.cfg").is_file():
            return place / ".venv"
        if (place / ".git").exists():
            return None
    return None


def _install_command(environment: Path, folder: Path) -> str:
    if any((place / "uv.lock").is_file() for place in (environment.parent, folder)):
        return "uv add git-pivot"
    return f"{environment / 'bin' / 'python'} -m pip install git-pivot"
