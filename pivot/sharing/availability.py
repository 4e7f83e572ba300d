"""Where the bytes of what HEAD stands on are: here, on a remote, or on both."""

from __future__ import annotations

from msgspec import Struct

from pivot.project import Project
from pivot.sharing.outputs_to_move import OutputSelection, Sharing
from pivot.sync.transfer.transfer import Transfer


class Whereabouts(Struct, frozen=True):
    """Output paths by where their bytes are: `nowhere` is neither here nor on this remote."""

    remote: str
    both: tuple[str, ...]
    here_only: tuple[str, ...]
    there_only: tuple[str, ...]
    nowhere: tuple[str, ...]


def find_whereabouts(project: Project, transfer: Transfer) -> Whereabouts:
    """Ask the store and the remote, once each.

    Raises:
        TargetError: nobody has noted what HEAD stands on.
        RemoteError: the remote cannot be reached.
    """
    outs = Sharing(project, transfer).named(OutputSelection())
    missing = {root.id for root in transfer.missing_here(outs.values())}
    there = transfer.there(outs.values())
    found: dict[tuple[bool, bool], list[str]] = {}
    for path, root in sorted(outs.items()):
        found.setdefault((root.id not in missing, root.id in there), []).append(path)
    both, here, away, none = (
        tuple(found.get(case, ())) for case in ((True, True), (True, False), (False, True), (False, False))
    )
    return Whereabouts(transfer.remote.name, both, here, away, none)
