"""Before a push: say what is stale in it, and give the remotes outputs and results first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from pivot.errors import PivotError
from pivot.git.plumbing.fetch_refspecs import add_fetch_refspecs, list_remotes
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.history.attestation import attest
from pivot.history.commit_content import CommitContent
from pivot.hooks.wording import some
from pivot.maintenance.gc import state_of
from pivot.project import Project
from pivot.run.recorder import flush_journal
from pivot.sharing.push_outputs import give_outputs
from pivot.state.notes import NoteLine, Notes
from pivot.state.ref_sync import REFS, takes_state
from pivot.sync.remote.config import has_remote

CHOICES = ("push", "verify", "warn", "off")
MANY = 5  # stages that one line names
NO_REMOTE = "their bytes stay here: `git pivot remote add NAME URL`"


class PushedRef(Struct, frozen=True):
    """One line of what Git tells a pre-push hook."""

    local: str
    commit: str
    remote: str

    @property
    def counts(self) -> bool:
        """A branch or a tag that is not being deleted. The zero id has 40 or 64 digits."""
        return self.remote.startswith(("refs/heads/", "refs/tags/")) and set(self.commit) != {"0"}


def parse_pushed(line: str) -> PushedRef:
    """`<local ref> <local id> <remote ref> <remote id>`; the local ref may hold blanks (`HEAD@{0 days ago}`)."""
    local, commit, remote, _ = line.rsplit(" ", 3)
    return PushedRef(local, commit, remote)


def before_push(
    location: RepositoryLocation, remote: str, lines: Sequence[str], tell: Callable[[str], None]
) -> tuple[bool, list[str]]:
    """Whether the push is to stop, and lines for the user; `tell` is told what is under way.

    That results cannot be pushed never stops it.

    Raises:
        GitError: the repository cannot be read.
        SettingError: `pivot.prePush` or `pivot.requireFresh` means nothing.
    """
    refs = [parse_pushed(line) for line in lines]
    counting = [ref for ref in refs if ref.counts]
    with Project(location) as project:
        mode = project.settings.get_choice("pivot.prePush", CHOICES, "push")
        fresh = project.settings.get_bool("pivot.requireFresh", False)
        if mode == "off" or not counting or not any(project.backend.ref_get(ref) for ref in REFS.values()):
            return False, []
        said = list(_stale(project, counting))
        stop = fresh and bool(said)
        if mode == "verify":
            broken = list(_broken(project, counting))
            stop, said = stop or bool(broken), said + broken
        if stop:
            return True, [*said, "the push is stopped: `git pivot repro`, commit, push; or `git push --no-verify`"]
        # Who pushes these refs by hand, or mirrors everything, must find them where Git has seen them a moment ago.
        by_hand = any(ref.remote.startswith(("refs/pivot/", "refs/notes/pivot")) for ref in refs)
        if mode != "warn" and not by_hand and not project.scratch and takes_state(project.settings, remote):
            said += filter(None, [project.settings.unconfirmed_notice()])
            given = give_outputs(project, [ref.commit for ref in counting], tell)
            said += given.lines
            if given.stop:
                return True, said
            said += _push_state(project, remote) if given.complete else []
        return False, said


def _stale(project: Project, refs: Iterable[PushedRef]) -> Iterator[str]:
    """What of the pushed commits is not known to be reproduced. A commit without a pipeline claims nothing."""
    notes = Notes(project.backend)
    for ref in refs:
        commit = project.backend.resolve(ref.commit)
        lines = notes.find(commit)[1] if commit else {}
        where = f"{ref.remote.split('/', 2)[2]} ({ref.commit[:8]})"
        if commit and not lines and CommitContent(project.location, project.backend, commit).pipelines():
            yield f"{where} has no note: `git pivot repro` finds out what its stages stand on"
        for state in ("stale", "unknown"):
            stages = _in_state(lines.values(), state)
            if stages:
                yield f"{where}: {some(stages, MANY, 'stages')} {'is' if len(stages) == 1 else 'are'} {state}"


def _in_state(groups: Iterable[tuple[NoteLine, ...]], state: str) -> list[str]:
    return [lines[0].stage for lines in groups if lines[0].state == state]


def _broken(project: Project, refs: Iterable[PushedRef]) -> Iterator[str]:
    for ref in refs:
        commit = project.backend.resolve(ref.commit)
        for problem in attest(project, commit).problems if commit else ():
            yield f"{ref.remote.split('/', 2)[2]} ({ref.commit[:8]}): {problem}"


def _push_state(project: Project, remote: str) -> list[str]:
    is_new = not project.backend.refs(f"refs/pivot-remotes/{remote}/")
    known = remote in list_remotes(project.location)
    try:
        flush_journal(project, "push: results of an interrupted run")
        pushed = state_of(project).push(remote)
    except PivotError as error:
        return [f"results were not pushed: {error.what}; `git pivot push {remote}` tries again"]
    if pushed.refused:
        reasons = "; ".join(f"{kind}: {reason}" for kind, reason in pushed.refused.items())
        return [f"{remote} does not take results ({reasons}){'; it is not asked again' if known else ''}"]
    if not pushed.taken:
        return []
    # A Git remote that was added after `git pivot init`, which has seen to the others.
    fetched = known and is_new and add_fetch_refspecs(project.location, [remote])
    back = f", and `git fetch {remote}` brings those of others" if fetched else ""
    bytes_too = "" if has_remote(project.settings) else f" ({NO_REMOTE})"
    return [f"{remote} has the results now: {', '.join(pushed.taken)}{back}{bytes_too}"]
