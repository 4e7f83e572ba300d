"""A repository, opened once: where things stand, and every part of it made when it is first needed. Wiring only."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pivot.errors import ProjectError
from pivot.files import FileLock
from pivot.git.plumbing.locate import RepositoryLocation, locate

if TYPE_CHECKING:
    from pivot.code.discovery.search import Discovery
    from pivot.git.odb.backend import Author, Backend
    from pivot.git.plumbing.config import Settings
    from pivot.state.journal import Journal
    from pivot.state.run_cache import RunCache
    from pivot.store.odb.stat_cache import StatCache
    from pivot.store.store import Store
    from pivot.store.worktree_writer import WorktreeWriter

LINKS = ("auto", "reflink", "hardlink", "copy")


class Project:
    """The user's repository and all that Pivot keeps for it; opening it reads nothing but the place of `.git`.

    In a bare repository all that needs no work tree is there: its state, its store, its settings.
    `scratch` is set where `.git` cannot be written: a run then works in a temporary folder, and records nothing. The
    store is still read.
    """

    def __init__(self, location: RepositoryLocation, backend: Backend | None = None) -> None:
        self.location = location
        if backend:
            self.backend = backend
        self.scratch: Path | None = None
        self.pivot_dir = location.pivot_dir
        if not _writable(location.pivot_dir) or not _writable(location.store_dir.parent):
            self.scratch = Path(tempfile.mkdtemp(prefix="git-pivot-"))
            self.pivot_dir = self.scratch
        else:
            self._keep_private()

    @classmethod
    def open(cls, start: Path) -> Self:
        """Find the repository that `start` lies in.

        Raises:
            ProjectError: there is none, or it cannot be used.
        """
        return cls(locate(start))

    @property
    def root(self) -> Path:
        """The work tree.

        Raises:
            ProjectError: a bare repository has none.
        """
        if self.location.root is None:
            raise ProjectError(
                "this is a bare repository: there is no work tree to run in", where=str(self.location.git_dir)
            )
        return self.location.root

    @cached_property
    def settings(self) -> Settings:
        from pivot.git.plumbing.config import read_settings

        return read_settings(self.location)

    @cached_property
    def author(self) -> Author:
        from pivot.git.identity import identify

        return identify(self.settings, os.environ)

    @cached_property
    def backend(self) -> Backend:
        from pivot.git.odb.open import open_backend

        return open_backend(self.location.git_dir, self.location.common_dir)

    @cached_property
    def runs(self) -> RunCache:
        from pivot.state.run_cache import RunCache

        return RunCache(self.backend)

    @cached_property
    def journal(self) -> Journal:
        from pivot.state.journal import Journal

        return Journal(self.pivot_dir / "journal")

    @cached_property
    def store_path(self) -> Path:
        """Where outputs are put."""
        return self.scratch / "store.git" if self.scratch else self.kept_store

    @cached_property
    def kept_store(self) -> Path:
        """The store that stays when this command has ended."""
        setting = self.settings.get("pivot.store")
        return self.location.folder / Path(setting).expanduser() if setting else self.location.store_dir

    @cached_property
    def link(self) -> str:
        return self.settings.get_choice("pivot.link", LINKS, "auto")

    @cached_property
    def store(self) -> Store:
        from pivot.store.store import Store

        if self.store_path != self.location.store_dir and not self.scratch:
            from pivot.store.odb.layout import is_shared
            from pivot.store.permissions import folder_permissions, keep_private
            from pivot.store.users import register

            if not (self.store_path.is_dir() and is_shared(str(self.store_path))):  # as `git init --shared` makes one
                keep_private(self.store_path, self._shared)
            register(self.store_path.resolve(), self.location.common_dir, folder_permissions(self._shared()))
        return Store.open(self.store_path, link=self.link, base=self.kept_store if self.scratch else None)

    @cached_property
    def cache_dir(self) -> Path:
        return self.pivot_dir / "cache"

    @cached_property
    def discovery(self) -> Discovery:
        from pivot.code.discovery.search import Discovery

        return Discovery(self.location, self.cache_dir)

    @cached_property
    def stats(self) -> StatCache:
        from pivot.store.odb.stat_cache import StatCache

        return StatCache.open(self.cache_dir / "stat")

    @cached_property
    def writer(self) -> WorktreeWriter:
        """What writes outputs into the work tree. Raises `ProjectError` in a bare repository."""
        from pivot.git.plumbing.index import TrackedPaths
        from pivot.store.worktree.known_outputs import KnownOutputs
        from pivot.store.worktree_writer import WorktreeWriter

        known = KnownOutputs(self.pivot_dir, self.location.common_dir)
        tracked = TrackedPaths(self.location, fold_case=self.settings.get_bool("core.ignoreCase", False))
        return WorktreeWriter(self.root, self.pivot_dir, self.store, known, tracked)

    def lock(self) -> FileLock:
        """Held while outputs and records of this work tree are written."""
        if not self.scratch:
            self._make_private()
        command = " ".join(["git pivot", *sys.argv[1:]])
        return FileLock(self.pivot_dir / "lock", command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "stats" in self.__dict__:
            self.stats.save()
        if "backend" in self.__dict__:
            self.backend.close()
        if self.scratch:
            _empty(self.scratch)
        else:
            self._keep_private()  # what came before the lock

    def _shared(self) -> str | None:
        return self.settings.get("core.sharedRepository")

    def _folders(self) -> set[Path]:
        return {self.location.pivot_dir, self.location.store_dir.parent}

    def _make_private(self) -> None:
        from pivot.store.permissions import make_private

        for folder in self._folders():
            make_private(folder, self.location.store_dir, self._shared)

    def _keep_private(self) -> None:
        for folder in self._folders():
            if _is_wide(folder):
                from pivot.store.permissions import keep_private

                keep_private(folder, self._shared)


def _empty(scratch: Path) -> None:
    """Remove a temporary folder; what a failed stage left, and what it printed, stays for the user to look at."""
    for part in scratch.iterdir():
        if part.name in ("failed", "logs") and (scratch / "failed").exists():
            continue
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
    if not any(scratch.iterdir()):
        scratch.rmdir()


def _is_wide(folder: Path) -> bool:
    """Whether a folder is there that others may look into."""
    try:
        return bool(folder.stat().st_mode & 0o077)
    except OSError:
        return False


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it is not there yet."""
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
