"""What a repository still needs of its results: the records that live, and the objects that the store must keep."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct, field

from pivot.errors import GitError, StoreError
from pivot.git.odb.backend import TREE, Backend
from pivot.git.plumbing.command import ask_git, placeless_environment, run_git
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.plan.known_results import LastResults
from pivot.run.recorder import as_objects
from pivot.state.accepted import Accepted
from pivot.state.journal import Journal
from pivot.state.notes import Notes
from pivot.state.record_closure import Name
from pivot.state.records import Record
from pivot.state.run_cache import RunCache
from pivot.store.odb.objects import Object
from pivot.store.odb.stat_cache import StatCache
from pivot.store.store import Store
from pivot.store.worktree.known_outputs import LISTED
from pivot.store.worktree.saved_edits import KEPT_DAYS, Saved


class WorktreeData(Struct, frozen=True):
    """What Pivot keeps for one work tree, and where that stands (None: not here, such as on a drive that is away)."""

    pivot_dir: Path
    root: Path | None


class Repository(Struct, frozen=True):
    """One user of a store, open; `git_dir` is the folder that its work trees share."""

    git_dir: Path
    backend: Backend
    places: tuple[WorktreeData, ...]


class GcRoots(Struct):
    """`live`: records with their bytes; `others`: records of commits that are not here, whose bytes may go.

    `objects` are kept beside those of the live records: edits put away, and results not recorded yet.
    """

    live: dict[Name, Record] = field(default_factory=dict)
    others: set[Name] = field(default_factory=set)
    dead: set[Name] = field(default_factory=set)
    objects: list[Object] = field(default_factory=list)

    def all_objects(self) -> Iterator[Object]:
        """Every object that must stay, directories by themselves and not by what is in them."""
        yield from self.objects
        for record in self.live.values():
            yield Object(record.tree, TREE, 0)
            yield from as_objects(record.outs).values()


def places_of(git_dir: Path, known: RepositoryLocation | None = None) -> tuple[WorktreeData, ...]:
    """The work trees of a repository; `known` is one that was opened, so that nobody need be asked about it.

    Raises:
        StoreError: the repository cannot be read.
    """
    if not (git_dir / "HEAD").is_file():
        raise StoreError("a repository that uses the store cannot be read", where=str(git_dir))
    main = known.root if known and known.git_dir == git_dir else _main_root(git_dir)
    linked = [
        WorktreeData(folder / "pivot", _linked_root(folder)) for folder in sorted((git_dir / "worktrees").glob("*"))
    ]
    return (WorktreeData(git_dir / "pivot", main), *linked)


def find_roots(repository: Repository, store: Store, keep: float) -> GcRoots:
    """What lives: what a note of a reachable commit names, an accepted change, or a work tree stands on, and every
    record with a run that ended in the last `keep` seconds.

    Raises:
        GitError: commits or records cannot be read, so that what they need cannot be told.
    """
    return _Finder(repository, store, keep).find()


def find_in_use(repository: Repository, store: Store, names: set[Name]) -> set[Name]:
    """Those of these records that a commit, an accepted change or a work tree of the repository stands on.

    Raises:
        GitError: commits cannot be read, so that what they need cannot be told.
    """
    return _Finder(repository, store, 0).in_use(names)


class _Finder:
    def __init__(self, repository: Repository, store: Store, keep: float) -> None:
        self._repository = repository
        self._store = store
        self._runs = RunCache(repository.backend)
        since = datetime.now(UTC) - timedelta(seconds=keep)
        self._since = since.isoformat(timespec="seconds")

    def find(self) -> GcRoots:
        roots = GcRoots()
        noted, elsewhere = self._noted()
        named = noted | self._accepted() | self._last()
        in_place = self._in_place()
        for name in set(self._runs.fingerprints()):
            record = self._record(name)
            if record is None and name in named:
                raise GitError(f"the record {name[0][:12]}, which is in use, cannot be read", hint="git pivot fetch")
            if record and (name in named or self._is_recent(name) or _stands(record, in_place)):
                roots.live[name] = record
            else:
                (roots.others if name in elsewhere else roots.dead).add(name)
        roots.objects += [*self._unrecorded(), *self._saved()]
        return roots

    def in_use(self, names: set[Name]) -> set[Name]:
        named = self._noted()[0] | self._accepted() | self._last()
        in_place = self._in_place()
        return {
            name for name in names if name in named or ((record := self._record(name)) and _stands(record, in_place))
        }

    def _noted(self) -> tuple[set[Name], set[Name]]:
        """What the notes of reachable commits name (or of commits with the same files), and of those not here."""
        notes, backend = Notes(self._repository.backend), self._repository.backend
        commits = self._reachable()
        trees = set(commits.values())
        noted: set[Name] = set()
        elsewhere: set[Name] = set()
        fetched = bool(backend.refs("refs/pivot-remotes/"))
        marked = list(notes.commits())
        here = backend.has(marked)
        for commit in marked:
            if commit not in here:
                found = notes.lines(commit) if fetched else ()
                elsewhere |= {(line.fingerprint or "", line.result or "") for line in found}
            elif commit in commits or backend.read_commit(commit).tree in trees:
                lines = [line for held in notes.read(commit).values() for line in held]
                noted |= {(line.fingerprint or "", line.result or "") for line in lines}
        return noted, elsewhere

    def _reachable(self) -> dict[str, str]:
        """Commit -> tree for all branches, tags, stashes, reflogs and work trees."""
        git_dir = self._repository.git_dir
        ours = ("refs/pivot/*", "refs/pivot-remotes/*", "refs/notes/*")
        select = [*(f"--exclude={pattern}" for pattern in ours), "--all", "--reflog"]
        args: list[str | Path] = ["--git-dir", git_dir, "rev-list", *select, "--format=%H %T"]
        listed = run_git(args, git_dir, env=placeless_environment()).decode("ascii", "replace")
        return dict(line.split(" ") for line in listed.splitlines() if not line.startswith("commit "))

    def _accepted(self) -> set[Name]:
        return {(one.fingerprint, one.result) for one in Accepted(self._repository.backend).all()}

    def _last(self) -> set[Name]:
        files = (place.pivot_dir / "cache/last" for place in self._repository.places)
        return {name for file in files for name in LastResults(file).by_stage.values()}

    def _in_place(self) -> list[dict[str, tuple[str, int]]]:
        """For each work tree that is here, what stands at its outputs' paths."""
        return [self._standing(place.root, place.pivot_dir) for place in self._repository.places if place.root]

    def _standing(self, root: Path, pivot_dir: Path) -> dict[str, tuple[str, int]]:
        stats = StatCache.open(pivot_dir / "cache/stat")
        paths = [path for path in _listed_outputs(pivot_dir) if os.path.lexists(root / path)]
        found = {path: self._store.identify(root / path, stats) for path in paths}
        return {path: (held.id, held.mode) for path, held in found.items()}

    def _record(self, name: Name) -> Record | None:
        return next((found.record for found in self._runs.lookup(name[0]) if found.result == name[1]), None)

    def _is_recent(self, name: Name) -> bool:
        """A record of which nothing is said may be of today."""
        infos = self._runs.infos(*name)
        return not infos or infos[0].finished > self._since

    def _unrecorded(self) -> Iterator[Object]:
        for place in self._repository.places:
            for finished in Journal(place.pivot_dir / "journal").pending():
                yield from as_objects(finished.record.outs).values()

    def _saved(self) -> Iterator[Object]:
        oldest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - KEPT_DAYS * 86_400))
        for place in self._repository.places:
            entries = Saved(place.pivot_dir / "saved").entries()
            yield from (entry.object for entry in entries if entry.time >= oldest)


def _stands(record: Record, trees: list[dict[str, tuple[str, int]]]) -> bool:
    """Whether a work tree holds all outputs of a record."""
    outs = {path: (out.id, out.mode) for path, out in record.outs.items()}
    return bool(outs) and any(outs.items() <= held.items() for held in trees)


def _listed_outputs(pivot_dir: Path) -> list[str]:
    try:
        return [str(path) for path in json.loads((pivot_dir / LISTED).read_bytes())]
    except FileNotFoundError:
        return []  # nothing was run in this work tree yet
    except ValueError as error:
        raise StoreError(
            "the list of a work tree's outputs cannot be read",
            where=str(pivot_dir / LISTED),
            hint=f"Let it be written anew: rm -r {pivot_dir / LISTED} {pivot_dir / 'cache'}; git pivot repro",
        ) from error


def _main_root(git_dir: Path) -> Path | None:
    args: list[str | Path] = ["--git-dir", git_dir, "config", "core.worktree"]
    told = os.fsdecode(ask_git(args, git_dir, env=placeless_environment()).out).rstrip("\n")
    if told:
        return (git_dir / told).resolve()
    return git_dir.parent if git_dir.name == ".git" else None


def _linked_root(folder: Path) -> Path | None:
    try:
        dot_git = Path(os.fsdecode((folder / "gitdir").read_bytes()).rstrip("\n"))
    except FileNotFoundError:
        return None
    root = (folder / dot_git).parent
    return root if root.is_dir() else None
