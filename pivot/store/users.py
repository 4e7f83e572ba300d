"""The repositories that use a store: one that others use too must not be cleaned up by what one of them knows.

Where: `<store>/users/<16 hex>`, a file for each repository, named by xxh3_64 of what it holds: the absolute path of the
repository's Git folder. The repository in whose Git folder a store stands uses it without being listed.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import xxhash

from pivot.files import write_atomic
from pivot.store.odb.layout import create, in_words, make_folder, protect

FOLDER = "users"
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


def register(store: Path, git_dir: Path, permissions: int | None = None) -> None:
    """Let a store know a repository; where the store may only be read, nothing is kept in it, and nothing is done.
    `permissions` are those of a new store.

    Raises:
        StoreError: it cannot be written for another reason.
    """
    path = entry_of(store, git_dir)
    if path.exists():
        return
    with in_words("the store cannot take this repository into its list", str(store)):
        try:
            create(str(store), permissions)
            make_folder(str(store), str(path.parent))
            write_atomic(path, os.fsencode(git_dir), durable=True)
            protect(str(store), str(path))
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise


def entry_of(store: Path, git_dir: Path) -> Path:
    """The file by which a repository is listed."""
    return store / FOLDER / xxhash.xxh3_64_hexdigest(os.fsencode(git_dir))


def users(store: Path) -> list[Path]:
    """The Git folders of all repositories that use a store, sorted, whether they are still there or not."""
    listed = store / FOLDER
    found = {Path(os.fsdecode(file.read_bytes())) for file in listed.iterdir()} if listed.is_dir() else set()
    owner = store.parent.parent
    if store.parent.name == "pivot" and (owner / "HEAD").is_file():
        found.add(owner.resolve())
    return sorted(found)
