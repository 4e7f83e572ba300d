"""Moving outputs between the store here and a remote: what push, pull, `repro --pull`, hooks, gc and fsck call.

    with Transfer.open(project, "lab", tell=show) as transfer:      # "lab": a name, None: the default remote
        transfer.missing_here(roots)        # roots of which something is lacking in the store here; no connection
        transfer.there(roots)               # ids of the roots that the remote has, with all that is below them
        plan = transfer.plan_send(roots)    # what is lacking there: plan.objects, plan.bytes, plan.absent
        transfer.send(plan)                 # large files first, directories last; gives what moved
        plan = transfer.plan_receive(roots)  # what is lacking here, large files included
        transfer.receive(plan)              # checked; what came before a break is kept
        transfer.find(root, "part/of.csv")  # an object inside a directory that need not be here
        transfer.remote                     # the narrow interface itself (`pivot.sync.remote.remote`), for gc and fsck

A `WantedRoot` is an object id with its mode and the path at which its bytes belong; `pivot.sync.wanted` gives the roots
of records, commits and targets. `tell` hears a `Moving` several times a second, from whatever thread. Nothing here
moves refs: give the objects first, then push the refs with `pivot.state.ref_sync`. Closing a transfer from another
thread, or Ctrl-C, stops it, and leaves both stores as good as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from pivot.git.odb.backend import TREE
from pivot.project import Project
from pivot.store.exchange import Closure, WantedRoot, read_level
from pivot.store.odb.layout import mark_name
from pivot.store.odb.objects import EMPTY_TREE, Object
from pivot.store.store import Store
from pivot.sync.open import open_remote
from pivot.sync.remote.maintenance import Pins
from pivot.sync.remote.remote import Remote
from pivot.sync.transfer.download import Receiving, plan_receiving, receive
from pivot.sync.transfer.origins import origins_of
from pivot.sync.transfer.pinning import secured
from pivot.sync.transfer.progress import Moved, Moving, Tell
from pivot.sync.transfer.prune_remote import Cleaned, Terms, clean
from pivot.sync.transfer.upload import Asked, Manner, Sending, plan_sending, send, writer_of

JOBS = 4  # large files that move at once


def _untold(event: Moving) -> None:
    return None


class Transfer:
    """A store here and a remote."""

    def __init__(self, store: Store, remote: Remote, manner: Manner) -> None:
        self.remote = remote
        self._store = store
        self._exchange = store.exchange()
        self._manner = manner

    @classmethod
    def open(cls, project: Project, name: str | None = None, *, tell: Tell = _untold, jobs: int = JOBS) -> Self:
        """A transfer with a remote by name, or the default one; it connects when it first has to.

        Raises:
            TargetError: there is no such remote, or nothing says which.
            SettingError: its settings mean nothing.
        """
        remote = open_remote(project, name)
        location = project.location
        origins = origins_of(location, project.settings)
        return cls(project.store, remote, Manner(writer_of(str(location.common_dir)), tell, jobs, origins))

    def missing_here(self, roots: Iterable[WantedRoot]) -> list[WantedRoot]:
        """Those of which the store here lacks something; nobody is asked but the store."""
        return [root for root in roots if not self._store.has(Object(root.id, root.mode, 0))]

    def there(self, roots: Iterable[WantedRoot]) -> set[str]:
        """The ids of those that the remote has. An object that is there has all that is below it there too."""
        ids = list(dict.fromkeys(root.id for root in roots))
        return set(self.remote.sizes(ids) if self.remote.exists() else ()) | {EMPTY_TREE}.intersection(ids)

    def expect(self, roots: Iterable[WantedRoot]) -> None:
        """Say what a push will be about before it asks anything: if all of it is there, that is marked already then."""
        self.remote.expect(Pins(frozenset(mark_name(one.id, one.mode) for one in roots), self._manner.origins))

    def plan_send(
        self, roots: Iterable[WantedRoot], bases: Sequence[str] = (), standing: Iterable[WantedRoot] = ()
    ) -> Sending:
        """What the remote lacks; `bases` are directories of older results, in whose terms new ones are written.

        `standing` are roots that `there` found, on which a record that will be pushed relies.
        """
        roots, standing = tuple(roots), tuple(standing)
        self.expect([*roots, *standing])
        asked = Asked(tuple(roots), tuple(self._whole(bases)), tuple(standing))
        return plan_sending(self._exchange, self.remote, asked)

    def send(self, plan: Sending) -> Moved:
        """Give the remote what it lacks, and mark what it has already; its store is made if it is not there.

        Raises:
            MissingObject: some of it is not here; nothing is sent then.
            RemoteError: the host refuses, or cannot be reached.
        """
        plan = secured(self._exchange, self.remote, plan, self._manner)
        return send(self._exchange, self.remote, plan, self._manner) if plan.objects else Moved()

    def clean(self, roots: Iterable[WantedRoot], terms: Terms) -> Cleaned:
        """Remove from the remote what neither these roots nor a pusher needs; see `prune_remote`."""
        return clean(self._exchange, self.remote, roots, terms)

    def plan_receive(self, roots: Iterable[WantedRoot], bases: Sequence[str] = ()) -> Receiving:
        """What the store here lacks; only small objects have been read for that."""
        missing = self.missing_here(roots)
        if not missing:
            return Receiving()
        return plan_receiving(self._exchange, self.remote, missing, self._whole(bases))

    def receive(self, plan: Receiving) -> Moved:
        """Bring what the store here lacks.

        Raises:
            MissingObject: the remote lacks some of it; the rest is here then.
            DamagedObject: the remote has other bytes under a name; they were not kept.
            RemoteError: the host refuses, or cannot be reached.
        """
        return receive(self._exchange, self.remote, plan, self._manner) if plan.roots else Moved()

    def find(self, root: WantedRoot, inside: str) -> WantedRoot | None:
        """What stands at a path inside a directory; levels that are not here are read from the remote, and kept."""
        here = root
        for name in inside.split("/"):
            entries = self._level(here.id) if here.mode == TREE else []
            found = next((one for one in entries if one.path == name), None)
            if found is None:
                return None
            here = WantedRoot(found.id, found.mode, f"{here.path}/{name}".lstrip("/"))
        return here

    def closure(self, roots: Iterable[WantedRoot]) -> Closure:
        """What the store here has at and below some roots."""
        return self._exchange.closure(roots)

    def close(self) -> None:
        self.remote.close()

    def _level(self, tree: str) -> list[WantedRoot]:
        here = self._exchange.tree(tree)
        if here is not None:
            return here
        data = self.remote.read([tree]).get(tree)
        if data is not None:
            with self._exchange.adding(()):
                self._exchange.take_trees({tree: data})  # the way to what is inside, for whoever looks for it here
        return read_level(data) if data else []

    def _whole(self, bases: Sequence[str]) -> list[str]:
        return [base for base in bases if self._store.has(Object(base, TREE, 0))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
