"""Whose a repository is: asked before any file of it is read, as Git does. Imports next to nothing."""

from __future__ import annotations

import os


def owned_by_me(*paths: str | os.PathLike[str]) -> bool:
    """Git's own check of ownership, for its ordinary answer only; exceptions (`safe.directory`) are left to Git."""
    me = os.geteuid()
    try:
        return all(os.stat(path).st_uid == me for path in paths)
    except OSError:
        return False
