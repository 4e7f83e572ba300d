"""A repository through pygit2: the fast implementation of `Backend`, and the only address of pygit2.

Importing it costs about seven bare Python starts, so nobody imports this module before there is work to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pygit2

from pivot.errors import GitError, RefMoved
from pivot.git.objects import ObjectVerbs, missing
from pivot.git.program import LASTING, move_ref, resolve_by_git, write_pack
from pivot.git.refs import list_refs, read_ref

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}
# From here on one pack is cheaper than loose objects: a process costs about as much as writing thirty files.
_PACK_FROM = 64

# Each flush of a run writes the trees of the run cache anew: those that were read before, and the packs that hold them,
# were 20 of 160 MiB at 10,000 stages, and of no use.
pygit2.settings.cache_max_size(1 << 20)
pygit2.settings.mwindow_size = 4 << 20
pygit2.settings.mwindow_mapped_limit = 16 << 20


class LibgitBackend(ObjectVerbs):
    """A SHA-1 repository with files for refs.

    Raises:
        GitError: libgit2 cannot open it; `ProgramBackend` may.
    """

    algorithm = "sha1"

    def __init__(self, git_dir: Path, common_dir: Path) -> None:
        self.git_dir = git_dir
        self.common_dir = common_dir
        try:
            self._repo = pygit2.Repository(str(git_dir))
        except (pygit2.GitError, ValueError, KeyError) as error:
            raise GitError(f"libgit2: {error}", where=str(git_dir)) from error

    def read(self, oid: str) -> tuple[str, bytes]:
        with _git_errors():
            try:
                kind, data = self._repo.read(oid)
            except KeyError as error:
                raise missing(oid, str(self.git_dir)) from error
        return _KINDS[int(kind)], data

    def write(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        if len(objects) >= _PACK_FROM:
            return write_pack(self, objects)
        with _git_errors():
            return [str(self._repo.write(_NUMBERS[kind], data)) for kind, data in objects]

    def has(self, oids: Iterable[str]) -> set[str]:
        with _git_errors():
            return {oid for oid in oids if oid in self._repo}

    def ref_get(self, name: str) -> str | None:
        return read_ref(self.common_dir, self.git_dir, name)

    def ref_cas(self, name: str, new: str | None, old: str | None, why: str) -> None:
        # libgit2 creates and deletes without looking under the lock; Git does it right, and it is rare.
        if new is None or old is None:
            move_ref(self.git_dir, name, (new, old), why)
            return
        try:
            ref = self._repo.references[name]
            if str(ref.target) != old:
                raise RefMoved(f"the ref {name} has moved")
            ref.set_target(pygit2.Oid(hex=new), why)
        except KeyError as error:
            raise RefMoved(f"the ref {name} is gone") from error
        except (pygit2.GitError, OSError) as error:
            raise _ref_error(name, self.common_dir, error) from error

    def refs(self, prefix: str) -> dict[str, str]:
        return list_refs(self.common_dir, self.git_dir, prefix)

    def resolve(self, revision: str) -> str | None:
        return self._peel(revision, pygit2.Commit) or resolve_by_git(self.git_dir, revision, "commit")

    def tree_of(self, revision: str) -> str | None:
        return self._peel(revision, pygit2.Tree) or resolve_by_git(self.git_dir, revision, "tree")

    def merge_base(self, one: str, two: str) -> str | None:
        try:
            found = self._repo.merge_base(one, two)
        except (pygit2.GitError, KeyError):  # the histories lead out of a shallow clone
            return None
        return str(found) if found else None

    def close(self) -> None:
        self._repo.free()

    def _peel(self, revision: str, kind: type[pygit2.Commit] | type[pygit2.Tree]) -> str | None:
        try:
            return str(self._repo.revparse_single(revision).peel(kind).id)
        except (pygit2.GitError, ValueError, KeyError):
            return None  # git knows more forms than libgit2


@contextlib.contextmanager
def _git_errors() -> Iterator[None]:
    try:
        yield
    except (pygit2.GitError, ValueError, OSError) as error:
        raise GitError(f"libgit2: {error}") from error


def _ref_error(name: str, common_dir: Path, error: Exception) -> GitError:
    """Moved or locked, which is worth another try, or something that stays wrong."""
    lock = common_dir / f"{name}.lock"
    if not os.access(lock.parent, os.W_OK) or any(sign in str(error) for sign in LASTING):
        return GitError(f"the ref {name} cannot be moved: {error}", where=str(lock.parent))
    return RefMoved(f"the ref {name} moved, or is locked by {lock} (if no command runs, remove that file)")
