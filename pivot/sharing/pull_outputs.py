"""Outputs that the store lacks, from their remote: only where the user has asked for it (`pivot.checkout = pull`).

The modules that reach a remote are imported where they are needed: after most switches nothing is lacking.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pivot.errors import PivotError
from pivot.project import Project
from pivot.state.records import Record
from pivot.store.exchange import WantedRoot


def bring(project: Project, lacking: Iterable[tuple[str, Record | None]]) -> str:
    """Bring outputs, named by path and record, into the store; what stood against it, or an empty string."""
    from pivot.sync.transfer.transfer import Transfer

    outs = [(path, record.outs[path]) for path, record in lacking if record and path in record.outs]
    try:
        with Transfer.open(project) as transfer:
            transfer.receive(transfer.plan_receive([WantedRoot(out.id, out.mode, path) for path, out in outs]))
    except PivotError as error:
        return error.what
    return ""


def how_to_bring(project: Project, lacking: Sequence[str]) -> str:
    """The command that gets outputs which the store lacks, and what it does with them."""
    if not lacking:
        return ""
    from pivot.sync.remote.config import has_remote

    them = "it" if len(lacking) == 1 else "them"
    return f"`git pivot pull` brings {them}" if has_remote(project.settings) else f"`git pivot repro` makes {them}"
