"""Git remotes: what a plain `git fetch` brings of Pivot's state.

Tracking refs stand at `refs/pivot-remotes/<remote>/`, never under `refs/remotes/`, which `git branch -r` would show.
Globs on purpose: a refspec that names one ref is fatal where the remote does not have it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.config import add_setting
from pivot.git.plumbing.locate import RepositoryLocation

REFSPECS = ("+refs/pivot/*:refs/pivot-remotes/{remote}/*", "+refs/notes/pivot*:refs/pivot-remotes/{remote}/notes*")


def list_remotes(location: RepositoryLocation) -> list[str]:
    return _lines(run_git(["remote"], location.common_dir, env=location.environment()))


def add_fetch_refspecs(location: RepositoryLocation, remotes: Iterable[str]) -> list[str]:
    """Let the fetch of these Git remotes bring results and notes; those for which that is new.

    Raises:
        GitError: the repository's configuration cannot be written.
    """
    return [remote for remote in remotes if _add_to(location, remote)]


def _add_to(location: RepositoryLocation, remote: str) -> bool:
    key = f"remote.{remote}.fetch"
    known = _values(location, key)
    missing = [spec for spec in (text.format(remote=remote) for text in REFSPECS) if spec not in known]
    for spec in missing:
        add_setting(location, key, spec)
    return bool(missing)


def _values(location: RepositoryLocation, key: str) -> list[str]:
    out = run_git(["config", "--get-all", key], location.common_dir, env=location.environment(), check=False)
    return _lines(out)


def _lines(out: bytes) -> list[str]:
    """Lines of Git's output; `splitlines` would also split at characters that a name may have."""
    return [line for line in os.fsdecode(out).split("\n") if line]
