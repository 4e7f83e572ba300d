"""Cleaning up: dead records leave the run cache by an ordinary commit, dead bytes leave the store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from pivot.errors import GitError, LockTimeout, PivotError, ProjectError, StoreError
from pivot.files import NO_ROOM, FileLock, remove_quietly
from pivot.git.odb.open import open_backend
from pivot.maintenance.live_roots import GcRoots, Repository, WorktreeData, find_in_use, find_roots, places_of
from pivot.project import Project
from pivot.state.record_closure import Name
from pivot.state.ref_sync import State
from pivot.store.odb.layout import remove, sweep_folder
from pivot.store.prune import DAY, IDLE, Pruned
from pivot.store.users import entry_of, users

KEEP = 30 * DAY  # seconds; what others who use the store keep at least, whatever is asked for here
_SWEPT_BY_OTHERS = ("store.git", "aside", "failed")  # the store by `prune`; what was moved away is no temporary file
_PAUSE = 0.2  # seconds between two looks at a lock that another command holds


class Collected(Struct, frozen=True):
    """What went, or would go. `repositories` is how many were asked what they need."""

    records: int
    pruned: Pruned
    repositories: int


def collect_garbage(project: Project, keep: float, *, dry_run: bool, say: Callable[[str], None]) -> Collected:
    """Remove records of which no run is younger than `keep` seconds and that nothing needs, and what only they name.

    Waits until no command writes to a work tree of any repository that uses the store; `say` is told about it.

    Raises:
        StoreError, GitError: this is no store, or a repository that uses it cannot be read; nothing was removed then.
    """
    if project.scratch:
        raise ProjectError("nothing can be removed here", where=f"{project.location.common_dir} is not writable")
    began = time.time()
    project.store.check_folder()
    with ExitStack() as stack:
        using = stack.enter_context(open_repositories(project))
        places = [place for one in using for place in one.places]
        if not dry_run:
            stack.enter_context(_locked(places, say))
            # First, since all that follows writes something: on a full disk this is the room for it.
            if freed := _remove_failed(places):
                say(f"removed what failed stages had written: {freed / (1 << 20):.1f} MiB")
        own, others = roots_of(using, project, keep)
        objects = [held for roots in (own, *others) for held in roots.all_objects()]
        # What a remote has and this repository never took in is not here to be removed.
        dead = sorted(own.dead.intersection(project.runs.fingerprints(fetched=False)))
        if not dry_run:
            _forget_noop(places)
        dropped = dry_run or _drop_if_there_is_room(project, dead)
        # What is stored from now on by a repository that was not asked keeps its mark.
        recent = max(min(DAY, keep), time.time() - began)
        is_remote = (project.store_path / "origins").is_dir()
        if is_remote:
            say("others push to the store here: its bytes stay until it is cleaned up as a remote (`gc --remote`)")
        pruned = Pruned() if is_remote else project.store.prune(objects, dry_run=dry_run, recent=recent)
        if not dropped:
            _drop(project, dead)
        if not dry_run:
            _forget_noop(places)
            _sweep([using[0].git_dir / "info", *(place.pivot_dir for place in places)])
    return Collected(len(dead), pruned, len(using))


def state_of(project: Project) -> State:
    """The project's shared refs; what others removed and this repository stands on stays in them."""
    return State(project.location, project.backend, project.author, partial(_in_use, project))


def _in_use(project: Project, names: set[Name]) -> set[Name]:
    own = project.location.common_dir
    return find_in_use(Repository(own, project.backend, places_of(own, project.location)), project.store, names)


@contextmanager
def open_repositories(project: Project) -> Iterator[list[Repository]]:
    """Every repository that uses the project's store, this one first.

    Raises:
        StoreError: one of them cannot be read.
    """
    own = project.location.common_dir
    others = [git_dir for git_dir in users(project.store_path.resolve()) if git_dir != own]
    with ExitStack() as stack:
        opened = [_open_other(git_dir, project.store_path) for git_dir in others]
        for other in opened:
            stack.callback(other.backend.close)
        yield [Repository(own, project.backend, places_of(own, project.location)), *opened]


def roots_of(using: Sequence[Repository], project: Project, keep: float) -> tuple[GcRoots, list[GcRoots]]:
    """What this repository needs, and what each other one does."""
    own = find_roots(using[0], project.store, keep)
    return own, [find_roots(other, project.store, max(keep, KEEP)) for other in using[1:]]


def _open_other(git_dir: Path, store: Path) -> Repository:
    try:
        places = places_of(git_dir)
        return Repository(git_dir, open_backend(git_dir, git_dir), places)
    except PivotError as error:
        raise StoreError(
            f"{git_dir} uses this store and cannot be read, so what it needs cannot be told",
            where=str(store),
            hint=f"If that repository is gone for good: rm {entry_of(store, git_dir)}",
        ) from error


@contextmanager
def _locked(places: Sequence[WorktreeData], say: Callable[[str], None]) -> Iterator[None]:
    """Hold the locks of all these work trees. While one is taken none is held, so that nobody waits for us in vain."""
    locks = [FileLock(place.pivot_dir / "lock", "git pivot gc") for place in places]
    told = ""
    try:
        while waits := _take(locks):
            if waits != told:
                say(f"waiting: {waits}")
            told = waits
            time.sleep(_PAUSE)
        yield
    finally:
        _release(locks)


def _take(locks: Sequence[FileLock]) -> str:
    """Take all locks, or none and say who has one."""
    try:
        for lock in locks:
            lock.acquire()
    except LockTimeout as error:
        _release(locks)
        return error.what
    except OSError as error:
        raise StoreError(f"a work tree cannot be locked: {error.strerror}", where=error.filename) from error
    return ""


def _release(locks: Sequence[FileLock]) -> None:
    for lock in locks:
        lock.release()


def _drop(project: Project, dead: Sequence[Name]) -> None:
    project.runs.drop(dead, f"gc: {len(dead)} records", project.author)


def _drop_if_there_is_room(project: Project, dead: Sequence[Name]) -> bool:
    """Whether the dead records have left the run cache.

    The commit that drops them takes room, which a full disk has only once their bytes are gone. A record without
    bytes is lost, and that does no harm to one that is dead.
    """
    try:
        _drop(project, dead)
    except GitError as error:
        if any(os.strerror(number) in str(error) for number in NO_ROOM):
            return False
        raise
    return True


def _remove_failed(places: Sequence[WorktreeData]) -> int:
    """Remove the partial outputs of failed stages; how many bytes that frees."""
    freed = 0
    for folder in [place.pivot_dir / "failed" for place in places]:
        freed += sum(file.lstat().st_blocks * 512 for file in folder.rglob("*")) if folder.is_dir() else 0
        remove(str(folder))
    return freed


def _sweep(folders: Iterable[Path]) -> None:
    """Remove what killed commands were writing outside the store: caches, the journal, restored files, ignore rules."""
    for folder in folders:
        for place, below, _ in os.walk(folder):
            below[:] = [name for name in below if name not in _SWEPT_BY_OTHERS]
            sweep_folder(place, IDLE)


def _forget_noop(places: Sequence[WorktreeData]) -> None:
    """The memory of "nothing to do" does not look at every object: what it stood on may be gone now."""
    for place in places:
        remove_quietly(place.pivot_dir / "cache/settled")
