"""How hooks speak of branches and of several things at once."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pivot.git.plumbing.command import ask_git
from pivot.git.plumbing.locate import RepositoryLocation


def moved(location: RepositoryLocation, old: str, new: str) -> str:
    """What the user calls the two ends of a switch: a branch, or the start of a commit's id.

    A clone and a new work tree come from nowhere.
    """
    reached = location.branch() or new[:8]
    return reached if is_nothing(old) else f"{_left(location, old)} -> {reached}"


def is_nothing(commit: str) -> bool:
    """What Git calls a commit that is not there: the start of a clone or a work tree, the end of `switch --orphan`."""
    return not commit.strip("0")


def _left(location: RepositoryLocation, old: str) -> str:
    """The branch that was left, from the last line of HEAD's reflog."""
    try:
        log = (location.git_dir / "logs" / "HEAD").read_bytes()
    except OSError:  # Git keeps it elsewhere, as with reftable
        log = b"\t" + ask_git(["reflog", "-1", "--format=%gs"], location.folder).out
    last = os.fsdecode(log.rstrip(b"\n").rpartition(b"\n")[2])
    _, found, rest = last.partition("\tcheckout: moving from ")
    name = rest.partition(" to ")[0]
    return name if found and name and not old.startswith(name) and name != old else old[:8]


def plural(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def some(names: Sequence[str], most: int, what: str) -> str:
    """The names, or their number where they are too many for a line."""
    return ", ".join(names) if len(names) <= most else f"{len(names)} {what}"
