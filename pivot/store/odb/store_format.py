"""What counts as a store: a folder with the file `pivot-store`, which Pivot writes when it makes one.

Where: `<store>/pivot-store`. Type: one line, `pivot-store <version>`. A folder without it counts only if nothing is in
it, if it is an empty bare repository, or if it is a store that is older than this file; it gets the file before
anything else is written. A folder with branches or tags is somebody's Git repository, whatever else is in it: a
clean-up would remove all that its branches hold.
"""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path

from pivot.errors import StoreError
from pivot.files import TEMP_PREFIX
from pivot.git.plumbing.command import ask_git, placeless_environment

FILE = "pivot-store"
VERSION = 1
LINE = f"{FILE} {VERSION}"

OWN = ("HEAD", "config", "damaged", "kept", "large", "lock", "narrow", "objects", "recent", "refs", "tmp", "users")
AS_REMOTE = ("collecting", "origins")  # what pushers and clean-ups leave in a store that serves as a remote
OF_GIT = ("branches", "description", "hooks", "info", "lost+found")  # `git init --bare`; a disk of its own
_MAY_HOLD = {FILE, *OWN, *AS_REMOTE, *OF_GIT}
_EMPTY_REPOSITORY = {"HEAD", "config", "lock", *OF_GIT}  # what an empty bare repository has files in

# A repository with a work tree, or one whose ids a store does not have.
NO_STORE = r"bare *= *(false|no|off|0)|objectformat *= *sha256"
_NO_STORE = re.compile(NO_STORE, re.IGNORECASE)


class Kind(Enum):
    """What a folder is: marked; a store from before there was a mark; or a place where one can be made."""

    MARKED = "marked"
    OLDER = "older"
    EMPTY = "empty"


def recognise(store: str) -> Kind:
    """What a folder is; nothing is written.

    Raises:
        StoreError: it is no store, or one of a later version.
    """
    kind = _read_mark(store) or _guess(store)
    if _has_refs(store):
        raise _refusal("it has branches, tags or other refs", store)
    return kind


def _read_mark(store: str) -> Kind | None:
    try:
        with open(f"{store}/{FILE}", encoding="utf-8", errors="replace") as file:
            line = file.read(64).strip()
    except FileNotFoundError:
        return None
    if line == LINE:
        return Kind.MARKED
    if re.fullmatch(rf"{FILE} \d+", line):
        raise StoreError(f"another version of Pivot made this store ({line})", where=store, hint="Update git-pivot.")
    raise _refusal(f"its file {FILE} cannot be read", store)


def _guess(store: str) -> Kind:
    strange = sorted(name for name in os.listdir(store) if name not in _MAY_HOLD and not name.startswith(TEMP_PREFIX))
    if strange:
        raise _refusal(f"it holds {strange[0]}", store)
    config = _read(f"{store}/config")
    if _NO_STORE.search(config):
        raise _refusal("it is a Git repository of another kind", store)
    if _is_empty(store):
        return Kind.EMPTY
    ours = os.path.isdir(f"{store}/recent") or is_precious(config)
    if ours and all(os.path.isdir(f"{store}/{folder}") for folder in ("objects", "large", "tmp")):
        return Kind.OLDER
    raise _refusal("it holds objects that Pivot has not stored", store)


def is_precious(config: str) -> bool:
    """Whether Git is told to keep what no ref names."""
    return "preciousobjects" in config.lower()


def _is_empty(store: str) -> bool:
    """Whether there is no file but those that `git init` makes."""
    for folder, folders, files in os.walk(store):
        if folder == store:
            folders[:] = [name for name in folders if name not in _EMPTY_REPOSITORY]
            files = [name for name in files if name not in _EMPTY_REPOSITORY]  # noqa: PLW2901
        if any(not name.startswith(TEMP_PREFIX) for name in files):
            return False
    return True


def _has_refs(store: str) -> bool:
    if os.path.isdir(f"{store}/reftable"):
        arguments = ["--git-dir", store, "show-ref", "--head"]
        return bool(ask_git(arguments, Path(store), env=placeless_environment()).out)
    head = _read(f"{store}/HEAD")
    if head and not head.startswith("ref:"):
        return True  # a commit is checked out without a branch
    packed = (line for line in _read(f"{store}/packed-refs").splitlines() if line and not line.startswith("#"))
    loose = (name for _, _, files in os.walk(f"{store}/refs") for name in files)
    return any(packed) or any(not name.startswith(".") for name in loose)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _refusal(reason: str, store: str) -> StoreError:
    hint = "Choose a new folder: `git config pivot.store PATH`."
    return StoreError(f"this folder is not a store of outputs: {reason}", where=store, hint=hint)
