"""A repository through pygit2: the fast implementation of `Backend`, and the only address of pygit2.

Importing it costs about seven bare Python starts, so nobody imports this module before there is work to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pygit2

from pivot.errors import WHEN_REFUSED, GitError, MissingObject, RefMoved
from pivot.git.odb.loose_reader import Damaged, LooseReader, TooLarge
from pivot.git.odb.objects import ObjectVerbs, missing, too_large, unreadable
from pivot.git.odb.process_backend import LASTING, merge_base_by_git, move_ref, read_packed, resolve_by_git, write_pack
from pivot.git.plumbing.refs import list_refs, read_ref

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}
# From here on one pack is cheaper than loose objects: a process costs about as much as writing thirty files.
_PACK_FROM = 64
_ID = 40  # hex digits

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
        self._loose = LooseReader(common_dir)

    def read(self, oid: str, most: int | None = None) -> tuple[str, bytes]:
        # libgit2 1.9.7 never comes back from a loose object that was cut off: it is given those in packs alone.
        try:
            found = self._loose.read(oid, most)
        except TooLarge as error:
            raise too_large(oid, error.size, error.most) from error
        except Damaged as error:
            return read_packed(self.git_dir, self._loose.folders, oid, str(error))
        return found or self._read_packed(oid, most)

    def _read_packed(self, oid: str, most: int | None) -> tuple[str, bytes]:
        try:
            if most is not None and (size := self._repo.odb.read_header(pygit2.Oid(hex=oid))[1]) > most:
                raise too_large(oid, size, most)
            kind, data = self._repo.read(oid)
        except KeyError as error:
            raise missing(oid, str(self.git_dir)) from error
        except (pygit2.GitError, ValueError, OSError) as error:
            raise unreadable(oid, f"libgit2: {error}", str(self.git_dir)) from error
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

    # What reads objects on its own inside libgit2 is left to `git`, which says what is damaged and never hangs.

    def resolve(self, revision: str) -> str | None:
        return self._commit_at(revision) or resolve_by_git(self.git_dir, revision, "commit")

    def tree_of(self, revision: str) -> str | None:
        commit = self._commit_at(revision)
        return self.read_commit(commit).tree if commit else resolve_by_git(self.git_dir, revision, "tree")

    def merge_base(self, one: str, two: str) -> str | None:
        return merge_base_by_git(self.git_dir, one, two)

    def close(self) -> None:
        self._repo.free()

    def _commit_at(self, revision: str) -> str | None:
        """The commit of HEAD or of a full id, the revisions that commands ask for themselves; None: ask `git`."""
        oid = self.ref_get("HEAD") if revision == "HEAD" else revision if len(revision) == _ID else None
        with contextlib.suppress(GitError, MissingObject):
            if oid and self.read(oid)[0] == "commit":
                return oid
        return None


@contextlib.contextmanager
def _git_errors() -> Iterator[None]:
    try:
        yield
    except (pygit2.GitError, ValueError, OSError) as error:
        raise GitError(f"libgit2: {error}", hint=_hint(error)) from error


def _hint(error: Exception) -> str | None:
    """libgit2 gives no error number, only the system's text of it."""
    return next((hint for number, hint in WHEN_REFUSED.items() if os.strerror(number) in str(error)), None)


def _ref_error(name: str, common_dir: Path, error: Exception) -> GitError:
    """Moved or locked, which is worth another try, or something that stays wrong."""
    lock = common_dir / f"{name}.lock"
    if not os.access(lock.parent, os.W_OK) or any(sign in str(error) for sign in LASTING):
        return GitError(f"the ref {name} cannot be moved: {error}", where=str(lock.parent), hint=_hint(error))
    return RefMoved(f"the ref {name} moved, or is locked by {lock} (if no command runs, remove that file)")
