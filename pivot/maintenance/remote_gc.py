"""Cleaning up a remote by the live rule of the store here, after all who push to it were asked what they need."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from pivot.errors import CheckFailed, GitError, RemoteError
from pivot.git.odb.open import open_backend
from pivot.git.plumbing.command import placeless_environment, run_git
from pivot.git.plumbing.fetch_refspecs import list_remotes
from pivot.maintenance.live_roots import Repository, find_roots, places_of
from pivot.project import Project
from pivot.sharing.outputs_to_move import roots_of
from pivot.state.record_closure import Name
from pivot.state.records import Record
from pivot.state.ref_sync import State
from pivot.state.run_cache import RunCache
from pivot.store.exchange import WantedRoot
from pivot.sync.transfer.origins import as_git_url, as_origin, origins_of, same_place
from pivot.sync.transfer.prune_remote import Cleaned, Terms
from pivot.sync.transfer.transfer import Transfer

TRACKING = "refs/pivot-remotes"


class RemoteUsers(Struct, frozen=True):
    """What was found before anything is removed: who pushes to the remote, and what other projects have there."""

    origins: frozenset[str]
    roots: tuple[WantedRoot, ...]


def ask_everybody(project: Project, transfer: Transfer, state: State, *, dry_run: bool) -> RemoteUsers:
    """Bring the results of every Git remote of this repository, and those of every other one that pushes there.

    Raises:
        GitError, RemoteError: one of them cannot be asked.
    """
    for remote in _git_remotes(project):
        state.fetch(remote) if dry_run else state.pull(remote)
    project.runs.refresh()
    origins = frozenset(transfer.remote.upkeep.origins() if transfer.remote.exists() else ())
    location = project.location
    own = {same_place(one) for one in origins_of(location, project.settings)}
    own.add(same_place(as_origin(str(location.common_dir), location.folder)))
    others = [one for one in sorted(origins) if same_place(one) not in own]
    return RemoteUsers(origins, tuple(root for one in others for root in _roots_of_another(one, transfer.remote.url)))


def clean_remote(project: Project, transfer: Transfer, needs: RemoteUsers, keep: float, terms: Terms) -> Cleaned:
    """Remove from the remote what is dead here, and what nobody knows.

    Raises:
        RemoteError: somebody else cleans up, or has begun to push there.
        DamagedObject: what is below something that is needed cannot be told.
    """
    return transfer.clean([*_own_roots(project, keep), *needs.roots], terms)


def push_removals(project: Project, state: State) -> None:
    """Let the Git remotes know which results are gone before their bytes go.

    Raises:
        CheckFailed: one of them refuses.
    """
    tracked = {ref.removeprefix(f"{TRACKING}/").rpartition("/")[0] for ref in project.backend.refs(f"{TRACKING}/")}
    for remote in _git_remotes(project):
        refused = state.push(remote).refused if remote in tracked else None
        if refused:
            told = "; ".join(f"{kind}: {reason}" for kind, reason in refused.items())
            raise CheckFailed(
                f"{remote} does not take that results are gone ({told}), so no bytes were removed",
                hint="Ask who runs the server to allow refs/pivot and refs/notes/pivot.",
            )


def _git_remotes(project: Project) -> list[str]:
    settings = project.settings
    return [one for one in list_remotes(project.location) if settings.get_bool(f"remote.{one}.pivot", True)]


def _own_roots(project: Project, keep: float) -> Iterator[WantedRoot]:
    location = project.location
    places = places_of(location.common_dir, location)
    roots = find_roots(Repository(location.common_dir, project.backend, places), project.store, keep)
    # A commit that is not here may be on a branch of somebody else: its bytes must stay there.
    yield from roots_of(roots.live.values())
    yield from roots_of(_records(project.runs, roots.others))
    yield from (WantedRoot(held.id, held.mode) for held in roots.objects)


def _roots_of_another(origin: str, remote: str) -> list[WantedRoot]:
    """All that another repository has recorded: which of it lives is for its own people to say."""
    url = as_git_url(origin)
    hint = (
        "Run it where that can be reached; if it is gone for good, remove its file from `origins` of the store there."
    )
    if url is None:
        raise RemoteError(f"{origin} pushes here too, and cannot be asked from here", where=remote, hint=hint)
    with tempfile.TemporaryDirectory(prefix="git-pivot-") as name:
        folder, environment = Path(name), placeless_environment()
        run_git(["init", "--quiet", "--bare", folder], folder, env=environment)
        fetch = ["fetch", "--quiet", "--no-tags", "--", url, "+refs/pivot/*:refs/pivot/*"]
        try:
            run_git(["--git-dir", folder, *fetch], folder, env=environment)
        except GitError as error:
            raise RemoteError(f"{origin} pushes here too: {error.what}", where=remote, hint=hint) from error
        backend = open_backend(folder, folder)
        try:
            runs = RunCache(backend)
            return list(roots_of(_records(runs, runs.fingerprints())))
        finally:
            backend.close()


def _records(runs: RunCache, names: Iterable[Name]) -> Iterator[Record]:
    for fingerprint, result in names:
        yield from (found.record for found in runs.lookup(fingerprint) if found.result == result)
