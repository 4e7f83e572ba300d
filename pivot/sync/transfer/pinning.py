"""What a push relies on: it is marked there first, and planned again where a clean-up was faster."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pivot.errors import RemoteError
from pivot.git.odb.backend import TREE
from pivot.store.exchange import Exchange
from pivot.store.odb.layout import large_mark_name, mark_name
from pivot.sync.remote.maintenance import Pins, RemoteState
from pivot.sync.remote.remote import Remote
from pivot.sync.transfer.progress import Moving
from pivot.sync.transfer.upload import Manner, Sending, plan_sending

TRIES = 5  # plans; each one but the first had a clean-up before it
PATIENCE = 600  # seconds that a push waits for a clean-up
_PAUSE = 0.5  # seconds between two looks


def secured(exchange: Exchange, remote: Remote, plan: Sending, manner: Manner) -> Sending:
    """The plan, or a new one, all of which can be relied on: what is there already is marked, and still there then.

    Raises:
        RemoteError: the remote is being cleaned up, and that does not end.
    """
    if plan.objects:
        remote.create()
    elif not plan.relied:
        return plan
    elif remote.expected(_names(plan)) is RemoteState.OK:
        return plan  # it was marked before anything was asked
    for _ in range(TRIES):
        standing, there = _mark(remote, plan, manner)
        if standing is RemoteState.OK and there >= {*plan.relied, *plan.bases} and _has_large(remote, plan):
            return plan
        remote.reopen()
        checked = plan_sending(exchange, remote, plan.asked, trusting=False)
        if standing is RemoteState.INTERRUPTED and checked == plan:
            return plan
        plan = checked
    raise RemoteError(f"{remote.url} is cleaned up again and again", hint="Push again when that is over.")


def _mark(remote: Remote, plan: Sending, manner: Manner) -> tuple[RemoteState, set[str]]:
    """Mark all that the plan sends or relies on; while a clean-up is under way, wait for it."""
    until = time.monotonic() + PATIENCE
    verb = f"waiting for a clean-up of {remote.name}, pushing"
    marks = Pins(frozenset(_names(plan)), manner.origins)
    while (told := remote.mark(marks))[0] is RemoteState.GC_RUNNING:
        if time.monotonic() > until:
            raise RemoteError(f"{remote.url} is being cleaned up", hint="Push again when that is over.")
        manner.tell(Moving(verb, 0, plan.objects, 0, plan.bytes, 0))
        time.sleep(_PAUSE)
    return told


def _names(plan: Sending) -> Iterator[str]:
    """The marks of a plan; what is sent too, since it stands by itself until what is above it has come."""
    yield from (mark_name(oid, mode) for oid, mode in plan.relied.items())
    yield from (mark_name(oid, TREE) for oid in plan.bases)
    yield from (mark_name(one.id, one.mode) for one in plan.members)
    yield from (large_mark_name(one.blake3) for one in (*plan.relied_large, *plan.large))


def _has_large(remote: Remote, plan: Sending) -> bool:
    """Whether the large files that the plan relies on are still there."""
    relied = plan.relied_large
    return not relied or len(remote.large_sizes(relied)) == len(relied)
