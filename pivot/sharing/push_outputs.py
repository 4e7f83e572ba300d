"""The outputs of pushed commits go to the remote of outputs before their results go to the Git remote."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from pivot.errors import PivotError, TargetError
from pivot.git.plumbing.config import Settings
from pivot.project import Project
from pivot.sharing.outputs_to_move import OutputSelection, Sharing
from pivot.state.run_cache import REF
from pivot.sync.remote.config import SECTION, Named, default_named
from pivot.sync.transfer.progress import Moved
from pivot.sync.transfer.transfer import Transfer
from pivot.sync.transfer.upload import Sending

TOLD_FROM = 8 << 20  # bytes; a push of less is over before anybody wonders


class PushVerdict(Struct, frozen=True):
    """What came of it: whether results may follow, whether the whole push is to stop, and lines for the user."""

    complete: bool = True
    stop: bool = False
    lines: tuple[str, ...] = ()


def give_outputs(project: Project, commits: Iterable[str], tell: Callable[[str], None]) -> PushVerdict:
    """Give the default remote what it lacks of the outputs of these commits; `tell` is told of what takes long.

    A remote that is marked `required` stops the push if it cannot be brought what is here.
    """
    named = default_named(project.settings)
    if named is None:
        return _without_remote(project.settings)
    try:
        objects = _give(project, named, commits, tell)
    except PivotError as error:
        reason = f"the outputs were not pushed to {named.name}: {error.what}"
        if project.settings.get_bool(f"{SECTION}.{named.name}.required", False):
            way_out = f"the push is stopped, since {named.name} is required: `git push --no-verify` pushes without them"
            return PushVerdict(complete=False, stop=True, lines=(reason, way_out))
        return PushVerdict(complete=False, lines=(f"{reason}; `git pivot push` tries again, and brings the results",))
    told = f"{named.name} has the outputs now: {objects} {'object' if objects == 1 else 'objects'}"
    return PushVerdict(lines=(told,) if objects else ())


def _without_remote(settings: Settings) -> PushVerdict:
    """No remote, or one at an address that this clone has not agreed to: nothing is sent there."""
    prefix = f"{SECTION}."
    keys = [one.key for one in settings.unconfirmed if one.key.startswith(prefix)]
    names = {key.removeprefix(prefix).rpartition(".")[0] for key in keys}
    if not names:
        return PushVerdict()
    stop = any(settings.get_bool(f"{SECTION}.{name}.required", False) for name in names)
    way_out = "the push is stopped, since the remote is required: `git push --no-verify` pushes without them"
    return PushVerdict(
        complete=False, stop=stop, lines=("outputs and results were not pushed", *([way_out] if stop else []))
    )


def _give(project: Project, named: Named, commits: Iterable[str], tell: Callable[[str], None]) -> int:
    """How many objects and large files went.

    Nobody may have noted what a commit stands on, such as one that is older than the hooks: then all goes that was
    recorded since the last push, so that the results that follow are not without their bytes.
    """
    tip = project.backend.ref_get(REF)
    with Transfer.open(project, named.name) as transfer:
        sharing = Sharing(project, transfer)
        plans = [_plan(sharing, commit) for commit in commits]
        moved = [_send(transfer, plan, tell) for plan in plans if plan]
        if None in plans:
            moved.append(_send(transfer, sharing.plan_push(OutputSelection()), tell))
            sharing.remember_push(OutputSelection(), tip)
    return sum(one.objects + one.large for one in moved)


def _plan(sharing: Sharing, commit: str) -> Sending | None:
    """What the remote lacks of a commit; None where nobody has noted what that stands on."""
    try:
        return sharing.plan_push(OutputSelection(revision=commit))
    except TargetError:
        return None


def _send(transfer: Transfer, plan: Sending, tell: Callable[[str], None]) -> Moved:
    if plan.bytes >= TOLD_FROM:
        tell(f"{transfer.remote.name}: pushing {plan.bytes >> 20} MiB of outputs")
    return transfer.send(plan)
