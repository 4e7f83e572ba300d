"""Who may read what Pivot keeps: only the user, unless `core.sharedRepository` says otherwise.

A folder of the user's own that is wider (an older version made it by the umask) is narrowed when it is next used.
Where the repository is shared, a new folder gets the permissions that Git gives its own, and one that is there keeps
those that it has.
"""

from __future__ import annotations

import os
import re
import stat as modes
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pivot.store.odb.layout import create

PRIVATE = 0o700
_GROUP = ("group", "true", "yes", "on", "1")
_ALL = ("all", "world", "everybody", "2")
_OCTAL = re.compile("0[0-7]{3}")


def folder_permissions(setting: str | None) -> int:
    """The permissions of a folder under a value of `core.sharedRepository`, which gives those of files."""
    text = (setting or "").lower()
    if text in _GROUP:
        return 0o2770
    if text in _ALL:
        return 0o2775
    if not _OCTAL.fullmatch(text):
        return PRIVATE
    files = int(text, 8) & 0o666
    return 0o2700 | files | (files & 0o444) >> 2 if files & 0o066 else PRIVATE


def make_private(folder: Path, store: Path, shared: Callable[[], str | None]) -> None:
    """Make Pivot's folder in the Git folder unless it is there, and in a shared repository the store too.

    `shared` reads `core.sharedRepository`.
    """
    if folder.exists() or not folder.parent.is_dir():
        return
    with suppress(FileExistsError):
        folder.mkdir(PRIVATE)
    wanted = folder_permissions(shared())
    if wanted != PRIVATE:
        folder.chmod(wanted)
        if store.parent == folder:
            create(str(store), wanted)


def keep_private(folder: Path, shared: Callable[[], str | None]) -> None:
    """Narrow a folder of the user's own that others may look into, unless the repository is shared."""
    try:
        stat = os.stat(folder)
    except OSError:
        return
    wide = modes.S_IMODE(stat.st_mode) & ~PRIVATE & 0o777
    if wide and stat.st_uid == os.geteuid() and folder_permissions(shared()) == PRIVATE:
        with suppress(OSError):  # a folder that cannot be changed: what can be read there was so before
            folder.chmod(PRIVATE)
