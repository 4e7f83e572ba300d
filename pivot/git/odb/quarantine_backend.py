"""A repository as it will be once a push is taken, for a hook that is to say whether it may be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from pivot.errors import GitError
from pivot.git.odb.process_backend import ProgramBackend


class ReceivingBackend(ProgramBackend):
    """Reads what was pushed and what was there; refs that the push moves have their new values. Nothing is written.

    Through the `git` program, which Git has told by the environment where it keeps the objects of a push until it is
    taken. `moved` are the refs of the push; None for one that it deletes.
    """

    def __init__(self, git_dir: Path, common_dir: Path, moved: Mapping[str, str | None]) -> None:
        super().__init__(git_dir, common_dir)
        self._moved = moved

    def ref_get(self, name: str) -> str | None:
        return self._moved[name] if name in self._moved else super().ref_get(name)

    def refs(self, prefix: str) -> dict[str, str]:
        moved = {name: oid for name, oid in self._moved.items() if name.startswith(prefix)}
        return {name: oid for name, oid in sorted({**super().refs(prefix), **moved}.items()) if oid}

    def ref_cas(self, name: str, new: str | None, old: str | None, why: str) -> NoReturn:
        raise GitError(f"the ref {name} cannot be moved while a push is received")
