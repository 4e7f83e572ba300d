"""Bytes that a run needs and a remote has: asked for when the run is planned, brought just before they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from pivot.errors import PivotError, RemoteError
from pivot.plan.decision import Action, Decision, Plan
from pivot.plan.planner import Planner
from pivot.project import Project
from pivot.run.events import StagePulling
from pivot.run.recorder import as_objects
from pivot.state.records import Output
from pivot.store.exchange import WantedRoot
from pivot.store.odb.objects import Object

if TYPE_CHECKING:
    from pivot.sync.transfer.transfer import Transfer

Told = TypeVar("Told")

_POLL_SECONDS = 0.2


class Fetched(Struct, frozen=True):
    """What was ordered for a stage is in the store here, or `error` says why not."""

    stage: str
    error: PivotError | None = None


class Prefetch:
    """Asks and pulls in a thread of its own, on one connection; `wake` is called when something has arrived.

    Nothing is connected as long as nobody needs anything.
    """

    def __init__(self, project: Project, wake: Callable[[], None]) -> None:
        self._project = project
        self._wake = wake
        self._orders: SimpleQueue[tuple[str, tuple[WantedRoot, ...]]] = SimpleQueue()
        self._arrived: SimpleQueue[Fetched] = SimpleQueue()
        self._open: set[str] = set()
        self._unreachable: RemoteError | None = None

    def __len__(self) -> int:
        """Stages that wait for their bytes."""
        return len(self._open)

    def missing(self, planner: Planner, plan: Plan, stopped: Callable[[], bool]) -> set[str]:
        """Of what this plan will need from the remote, what it does not have.

        A remote that cannot be reached is found out here once; every later order ends with the same error.
        """
        needed = {held.id: WantedRoot(held.id, held.mode) for held in _needed(planner, plan)}
        if not needed:
            return set()
        try:
            there = self._wait(lambda: self._transfer.there(needed.values()), stopped)
        except RemoteError as error:
            self._unreachable = error
            return set()
        return needed.keys() - there

    def request(self, stage: str, outs: Mapping[str, Object]) -> StagePulling:
        """Bring the bytes of these outputs into the store; the stage waits until `arrivals` tells of them."""
        self._open.add(stage)
        if self._unreachable is not None:
            self._arrived.put(Fetched(stage, self._unreachable))
        else:
            self._orders.put((stage, tuple(WantedRoot(held.id, held.mode, path) for path, held in outs.items())))
            self._thread.submit(self._serve)
        return StagePulling(stage, self._transfer.remote.name, sum(held.size for held in outs.values()))

    def arrivals(self, timeout: float) -> Iterator[Fetched]:
        """What has arrived since the last call; if nothing has, wait up to `timeout` seconds for it."""
        for fetched in _drain(self._arrived, timeout if self._open else 0.0):
            if fetched.stage in self._open:
                self._open.discard(fetched.stage)
                yield fetched

    def forget(self) -> list[str]:
        """Nobody waits any more: the stages that did. What comes even so is kept in the store."""
        waiting, self._open = list(self._open), set()
        return waiting

    def close(self) -> None:
        if "_transfer" in self.__dict__:
            self._transfer.close()
        if "_thread" in self.__dict__:
            self._thread.shutdown(wait=True, cancel_futures=True)

    @cached_property
    def _transfer(self) -> Transfer:
        from pivot.sync.transfer.transfer import Transfer  # most runs need nothing from elsewhere

        return Transfer.open(self._project)

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "prefetch")

    def _wait(self, work: Callable[[], Told], stopped: Callable[[], bool]) -> Told:
        """Do it in the thread; Ctrl-C closes the connection under it."""
        future: Future[Told] = self._thread.submit(work)
        while True:
            try:
                return future.result(_POLL_SECONDS)
            except NotYet:
                if stopped():
                    self._transfer.close()

    def _serve(self) -> None:
        """Bring all that is ordered by now at once; where that fails, each by itself, to tell whose fault it is."""
        orders = list(_drain(self._orders))
        if not orders:
            return
        try:
            self._bring(root for _, roots in orders for root in roots)
            for stage, _ in orders:
                self._arrived.put(Fetched(stage))
        except PivotError as error:
            for stage, roots in orders:
                self._arrived.put(Fetched(stage, error if len(orders) == 1 else self._try_to_bring(roots)))
        self._wake()

    def _try_to_bring(self, roots: Iterable[WantedRoot]) -> PivotError | None:
        try:
            self._bring(roots)
        except PivotError as error:
            return error
        return None

    def _bring(self, roots: Iterable[WantedRoot]) -> None:
        self._transfer.receive(self._transfer.plan_receive(roots))


def inputs_away(planner: Planner, name: str) -> dict[str, Object]:
    """What a stage that must run reads of stages whose outputs stand elsewhere, by output path."""
    spec = planner.stages[name].spec
    found: dict[str, Object] = {}
    for path in spec.dep_paths():
        for above, out in planner.producers.of(path):
            decision = planner.decide(above)
            if decision.action is Action.KEEP and decision.away and decision.record and out in decision.record.outs:
                found[out] = _as_object(decision.record.outs[out])
    return found


def outputs_away(decision: Decision) -> dict[str, Object]:
    """The outputs of a decision whose bytes must be pulled, by path."""
    held = as_objects(decision.record.outs) if decision.record else {}
    return {path: held[path] for path in decision.away}


def _needed(planner: Planner, plan: Plan) -> Iterator[Object]:
    """What has to come from elsewhere: for stages that run, or will perhaps, and for those that are asked for."""
    for decision in plan.decisions.values():
        if decision.action is Action.RESTORE:
            yield from outputs_away(decision).values()
    away = {path for one in plan.decisions.values() for path in one.away}
    for name in plan.to_run():
        yield from (held for path, held in inputs_away(planner, name).items() if path in away)


def _as_object(out: Output) -> Object:
    return Object(out.id, out.mode, out.size)


def _drain(queue: SimpleQueue[Told], timeout: float = 0.0) -> Iterator[Told]:
    """What is in a queue now; for the first one it waits."""
    while True:
        try:
            yield queue.get(timeout > 0, timeout)
        except Empty:
            return
        timeout = 0.0
