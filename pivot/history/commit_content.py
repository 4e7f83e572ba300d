"""What a commit holds at a path, as the object id that the store would give it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from pivot.code.discovery.search import pipelines_among
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE, Backend
from pivot.git.output_tree import nest
from pivot.git.plumbing.command import run_git
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.store.odb.objects import LARGE, Object, object_id, parse_pointer
from pivot.store.odb.stat_cache import StatCache
from pivot.store.worktree.snapshot import identify

_SUBMODULE = 0o160000  # its size is not known


class _Entry(NamedTuple):
    mode: int
    oid: str
    size: int


class CommitContent:
    """The files of one commit; they are listed once, and read only where their ids do not tell."""

    def __init__(self, location: RepositoryLocation, backend: Backend, commit: str) -> None:
        self._location = location
        self._backend = backend
        self._commit = commit

    def differs(self, path: str, oid: str) -> Iterator[str]:
        """Why what a stage read at `path` (`oid`) is not what the commit holds there."""
        entry = self._files.get(path)
        below = self._below(path) if entry is None else {}
        if entry is None and not below:
            yield f"{path} is neither in the commit nor an output of a stage"
            return
        if entry is not None and entry.mode == SYMLINK:
            return  # it counted as what it points to, which may stand anywhere
        if self._id(path, entry, below, filtered=False) != oid and self._id(path, entry, below, filtered=True) != oid:
            yield f"{path} in the commit is not what the stage read"

    def collides(self, path: str) -> bool:
        """Whether the commit holds something at an output's path, below it, or in place of a folder above it."""
        return path in self._folders or any(each in self._held for each in (path, *_above(path)))

    def holds(self, path: str, oid: str, mode: int) -> bool:
        """Whether the commit has the very bytes of an output there, as a file, a link or a folder."""
        entry = self._files.get(path)
        if entry is None:
            kind, below = TREE, self._below(path)
            if not below:
                return False
        else:
            kind, below = _mode(entry.mode), {}
        ids = (self._id(path, entry, below, filtered=filtered) == oid for filtered in (False, True))
        return kind == mode and any(ids)

    def is_link(self, path: str) -> bool:
        """Whether the commit has a symlink there, which counted as what it points to, wherever that is."""
        entry = self._files.get(path)
        return entry is not None and entry.mode == SYMLINK

    def pipelines(self) -> list[str]:
        """The commit's pipeline files."""
        return pipelines_among(self._files, lambda path: self._backend.read_blob(self._files[path].oid))

    @cached_property
    def _files(self) -> dict[str, _Entry]:
        """Every file of the commit, with its size in bytes."""
        return {path: entry for path, entry in self._held.items() if entry.mode != _SUBMODULE}

    @cached_property
    def _held(self) -> dict[str, _Entry]:
        """Every file and every submodule of the commit."""
        out = self._git("ls-tree", "-r", "-l", "-z", "--full-tree", self._commit)
        found = {}
        for row in filter(None, out.split(b"\0")):
            fields, _, name = row.partition(b"\t")
            mode, _, oid, size = fields.decode().split()
            found[os.fsdecode(name)] = _Entry(int(mode, 8), oid, 0 if size == "-" else int(size))
        return found

    @cached_property
    def _folders(self) -> set[str]:
        return {folder for path in self._held for folder in _above(path)}

    def _below(self, folder: str) -> dict[str, _Entry]:
        start = f"{folder}/"
        return {path.removeprefix(start): entry for path, entry in self._files.items() if path.startswith(start)}

    def _id(self, path: str, entry: _Entry | None, below: dict[str, _Entry], *, filtered: bool) -> str:
        if entry is not None:
            return self._file_id(path, entry, filtered=filtered)
        held = {
            name: Object(self._file_id(f"{path}/{name}", one, filtered=filtered), _mode(one.mode), one.size)
            for name, one in below.items()
        }
        return nest(held, lambda _oid, _data: None)

    def _file_id(self, path: str, entry: _Entry, *, filtered: bool) -> str:
        """The store's id of a file: of its bytes, or of the pointer to them.

        `filtered` takes the bytes as Git writes them into a work tree, with line endings and filters.
        """
        if entry.mode == SYMLINK or not filtered:
            plain = entry.size < LARGE and self._backend.algorithm == "sha1"
            return entry.oid if plain else _id_of(self._backend.read_blob(entry.oid))
        return _id_of(self._git("cat-file", "--filters", f"{self._commit}:{path}"))

    def _git(self, *args: str) -> bytes:
        """What an object really holds, whatever `refs/replace` says; what cannot be read is an error, and not empty."""
        env = {**self._location.environment(), "GIT_NO_REPLACE_OBJECTS": "1"}
        return run_git(args, self._location.folder, env=env)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _id_of(data: bytes) -> str:
    if len(data) < LARGE and parse_pointer(data) is None:
        return object_id(b"blob", data)
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return identify(file.name, StatCache(Path(file.name), {}, {}), follow=False).id


def _mode(mode: int) -> int:
    return mode if mode in (BLOB, EXECUTABLE, SYMLINK) else BLOB
