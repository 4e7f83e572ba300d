"""The loop of watch mode: a plan for each save, and a run of what it reaches. A generator of events."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pivot.code.analysis.model import Model
from pivot.errors import LockTimeout, PivotError, ProjectError, SettingError, TargetError
from pivot.files import FileLock
from pivot.pipeline.overrides import Given
from pivot.pool.pool import ImportAbandoned, WorkerPool
from pivot.project import Project
from pivot.run.events import Beat, Changed, Event, Noticed, RunPlanned, Unplanned, WaitingForLock, Watching
from pivot.run.live_run import StageFailure, execute_live
from pivot.run.recorder import flush_journal
from pivot.run.selection import RunOptions, Selection
from pivot.run.session import Session
from pivot.run.worker_settings import recover_outputs, worker_settings
from pivot.watch.control import WatchControl
from pivot.watch.file_events import Notices
from pivot.watch.keys import Keys
from pivot.watch.watch_filter import first_scope

DEBOUNCE = 100
LOCK_SECONDS = 0.2
HELD_SECONDS = 0.5
_USAGE = (ProjectError, SettingError, TargetError)


class Order(Struct, frozen=True):
    """What the user asked for; `remarks` gives sentences about code that cannot be tracked, each said once."""

    selection: Selection
    options: RunOptions
    remarks: Callable[[Model], Iterable[str]]
    given: tuple[Given, ...] = ()


class Hands(Struct, frozen=True):
    """What a watch works with; with `warm` the next code servers are made ready while it rests."""

    workers: WorkerPool
    control: WatchControl
    notices: Notices
    warm: bool


@contextmanager
def open_watch(start: Path, order: Order, keys: Keys | None = None) -> Iterator[Watch]:
    """Everything that a watch needs, from its processes to the terminal; all of it is gone at the end.

    Raises:
        ProjectError, SettingError: there is nothing that could be watched.
    """
    with Project.open(start) as project:
        if project.scratch:
            place = str(project.location.common_dir)
            raise ProjectError("nothing can be recorded here, so each save would run everything", where=place)
        settings, scope = worker_settings(project, order.given), first_scope(project)
        quiet = max(1, project.settings.get_int("pivot.watchDebounce", DEBOUNCE))
        polling = project.settings.get_bool("pivot.watchPolling", False)
        warm = project.settings.get_bool("pivot.watchWarm", True)
    with ExitStack() as stack:
        workers = stack.enter_context(WorkerPool(settings))
        notices = stack.enter_context(Notices(workers.wake, quiet, polling=polling))
        control = stack.enter_context(WatchControl(notices, scope, keys, workers.wake))
        workers.abandons = control.interrupt_requested
        if keys:
            workers.listen(keys.fileno(), control.press)
        _heed_reader(workers, control)
        control.arm()
        yield Watch(start, order, Hands(workers, control, notices, warm))


def _heed_reader(workers: WorkerPool, control: WatchControl) -> None:
    """End when nobody reads what is written: at this end of a pipe all that can be heard is that the other has gone."""
    with suppress(OSError, ValueError):
        output = sys.stdout.fileno()

        def gone() -> bool:
            workers.ignore(output)
            return control.leave()

        if stat.S_ISFIFO(os.fstat(output).st_mode):
            workers.listen(output, gone)


class Watch:
    """Rounds, each a run of its own with the lock of the work tree held, and waiting between them."""

    def __init__(self, start: Path, order: Order, hands: Hands) -> None:
        self._start = start
        self._order = order
        self._workers, self._control, self._notices, self._warm = (
            hands.workers,
            hands.control,
            hands.notices,
            hands.warm,
        )
        self._failures: dict[str, StageFailure] = {}
        self._said: set[str] = set()
        self._rounds = 0

    @property
    def quit(self) -> bool:
        """Whether it ended because a key asked for it."""
        return self._control.quit

    def events(self) -> Iterator[Event]:
        """Raises `TargetError` and the like for what can never be run."""
        polling = self._notices.polling
        yield Watching(polling)
        forced = self._order.selection.force
        while not self._control.count:
            yield from self._round(forced)
            if self._notices.polling != polling:
                polling = self._notices.polling
                yield Watching(polling)
            yield from self._rest()
            forced = "f" in self._control.wishes
            if self._control.wishes:
                self._failures.clear()
            self._control.wishes.clear()

    def _rest(self) -> Iterator[Event]:
        """Until there is a reason for a round."""
        control = self._control
        while not control.count:
            if control.wishes:
                return
            if changed := control.changed():
                yield Changed(changed)
                return
            is_warm = not self._warm or self._workers.warm_up(control.few_pipelines())
            self._workers.wait(None if is_warm and not control.held else HELD_SECONDS)
            yield from control.ticks()

    def _round(self, forced: bool) -> Iterator[Event]:
        with Project.open(self._start) as project:
            lock = project.lock()
            yield from self._acquire(lock)
            if not lock.held:
                return
            with lock:
                self._control.look()
                for line in recover_outputs(project):
                    yield Noticed(line)
                flush_journal(project)
                yield from self._run(Session(project, self._workers), forced)
                self._rounds += 1

    def _acquire(self, lock: FileLock) -> Iterator[Event]:
        said = False
        while not self._control.count:
            try:
                lock.acquire()
                return
            except LockTimeout as error:
                if not said:
                    yield WaitingForLock(error.what)
                said = True
            self._workers.wait(LOCK_SECONDS)
            yield from self._control.ticks()

    def _run(self, session: Session, forced: bool) -> Iterator[Event]:
        order = self._order
        selection = replace(order.selection, force=forced)
        try:
            for event in execute_live(session, selection, order.options, self._control, self._failures):
                yield event
                if isinstance(event, Beat) and self._warm:
                    self._workers.warm_up()  # what had to start has started
                if isinstance(event, RunPlanned):
                    yield from self._remark(session)
        except ImportAbandoned:
            return
        except PivotError as error:
            if not self._rounds and isinstance(error, _USAGE):
                raise
            self._control.unplanned()
            yield Unplanned(str(error))

    def _remark(self, session: Session) -> Iterator[Event]:
        for text in self._order.remarks(session.model()):
            if text not in self._said:
                self._said.add(text)
                yield Noticed(text)
