"""Which repository a hook was called for, and an environment in which that is not said any more."""

from __future__ import annotations

import os
from pathlib import Path

from pivot.git.plumbing.command import local_env_vars
from pivot.git.plumbing.locate import RepositoryLocation, locate

# These say how Git is to work, not where: `git -c key=value` counts in a hook too.
_KEPT = frozenset({"GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"})
# While a push is received, its objects stand in a folder of their own, and are found through these alone.
_QUARANTINE = frozenset({"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"})


def hook_location() -> RepositoryLocation:
    """The repository that Git called the hook for, whose work tree is the current folder.

    Git tells its hooks the repository, and for a commit the index, by environment variables that would mislead every
    call about another repository, and code of the user's: they are taken away, but where nothing else names the place.

    Raises:
        ProjectError: it cannot be used.
    """
    os.environ.pop("GIT_INDEX_FILE", None)
    told = locate(Path.cwd())
    kept = _KEPT | _QUARANTINE if "GIT_QUARANTINE_PATH" in os.environ else _KEPT
    taken = {name: os.environ.pop(name) for name in local_env_vars() - kept if name in os.environ}
    if "GIT_DIR" in taken and not _found_without(told):
        os.environ.update(told.environment() | {"GIT_DIR": str(told.git_dir)})
        if told.root:
            os.environ["GIT_WORK_TREE"] = str(told.root)
    return told


def server_location() -> RepositoryLocation:
    """The repository that was pushed to. What `refs/replace/*` put in the place of objects does not count: anybody may
    push such a ref, and a check would look at another commit than the one that is taken.

    Raises:
        ProjectError: it cannot be used.
    """
    found = hook_location()
    os.environ["GIT_NO_REPLACE_OBJECTS"] = "1"
    return found


def _found_without(told: RepositoryLocation) -> bool:
    from pivot.errors import ProjectError

    try:
        return locate(told.root or told.git_dir) == told
    except ProjectError:
        return False
