"""Files that others may not read: which permissions an output had when it was stored, so that none get wider.

Where: `<store>/narrow/<object id>`, an octal number and a newline: the permissions that a restored file or directory
of these bytes does not get. Objects that nobody narrowed have no such file. Bytes that were stored twice keep the
narrower.
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from pivot.files import remove_quietly, write_atomic
from pivot.store.odb.layout import make_folder, protect

FOLDER = "narrow"


def denied(mode: int) -> int:
    """The permissions that nobody gets of a file whose group, or whom others, may not read."""
    return (0 if mode & modes.S_IRGRP else 0o070) | (0 if mode & modes.S_IROTH else 0o007)


def narrowed(mode: int) -> int:
    """The same, but nothing where it is only what the umask takes from every new file."""
    found = denied(mode)
    if found:
        mask = os.umask(0o077)
        os.umask(mask)
        found &= ~denied(0o666 & ~mask)
    return found


class NarrowModes(Struct, frozen=True):
    """What a store knows about permissions; `base` is a store that is only read."""

    store: str
    base: str = ""

    def of(self, oid: str) -> int:
        """The permissions that an object does not get."""
        return _read(self.store, oid) | (_read(self.base, oid) if self.base else 0)

    def note(self, oid: str, mask: int) -> None:
        """Remember permissions that an object does not get, besides those known before."""
        before = _read(self.store, oid)
        if before | mask != before:
            make_folder(self.store, f"{self.store}/{FOLDER}")
            path = Path(self.store, FOLDER, oid)
            write_atomic(path, b"%o\n" % (before | mask))
            protect(self.store, str(path))


def forget(store: str, has: Callable[[str], bool]) -> None:
    """Remove what is known about objects that the store does not have any more."""
    folder = f"{store}/{FOLDER}"
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if not has(name):
            remove_quietly(f"{folder}/{name}")


def _read(store: str, oid: str) -> int:
    try:
        with open(f"{store}/{FOLDER}/{oid}", "rb") as file:
            text = file.read(8)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    with suppress(ValueError):
        return int(text, 8) & 0o077
    return 0o077  # damaged: what cannot be read is not widened
