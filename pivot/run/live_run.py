"""A run that goes on while its files are edited: what has ended counts, what a change does not reach goes on, and a
stage whose inputs have changed under it is ended and starts again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import PivotError
from pivot.plan.decision import Action, Plan
from pivot.plan.planner import Planner
from pivot.pool.jobs import JobDone, JobFailed
from pivot.pool.pool import ImportAbandoned
from pivot.run.attempts import Attempt
from pivot.run.events import Beat, Changed, Event, Noticed, Paused, RunEnded, RunPlanned, StageEnded, Unplanned
from pivot.run.execute import Run
from pivot.run.selection import RunOptions, Selection
from pivot.run.session import Session
from pivot.worker.interrupts import Stops

RESTARTS = 20


class RunControl(Stops, Protocol):
    """What reaches a run from outside while it is under way."""

    def changed(self) -> tuple[str, ...]:
        """Paths that matter and have changed since this was asked last."""
        ...

    def planned(self, session: Session, planner: Planner) -> None:
        """A plan holds from here on; told once its first stages have started."""
        ...

    def ticks(self) -> Iterable[Beat | Paused]:
        """Time and keys, for whoever displays the run."""
        ...


class StageFailure(Struct, frozen=True):
    """How a stage failed, and in which situation."""

    fingerprint: str
    ended: StageEnded


def execute_live(
    session: Session, selection: Selection, options: RunOptions, control: RunControl, failures: dict[str, StageFailure]
) -> Iterator[Event]:
    """Bring the selected stages up to date, and keep them so while their files change.

    A stage that failed is not tried again in the same situation: `failures` holds what is known of that, and is kept
    up to date.

    Raises:
        PivotError: there is nothing that can be planned.
        ImportAbandoned: something changed while the plan was being made.
    """
    began = time.monotonic()
    run = LiveRun(session, selection, options, control, failures)
    try:
        yield from run.announce(run.prepare(control))
        yield from (Unplanned(one.message, one.file) for one in session.failures())
        yield from run.loop(control)
        run.tell()
    finally:
        run.close()
    yield from run.finish()
    yield RunEnded(run.endings, time.monotonic() - began, bool(control.count))


class LiveRun(Run):
    """While `_plan_unavailable`, what stands in the files cannot be planned: nothing starts, and what runs goes on."""

    def __init__(
        self,
        session: Session,
        selection: Selection,
        options: RunOptions,
        control: RunControl,
        failures: dict[str, StageFailure],
    ) -> None:
        super().__init__(session, selection, options)
        self._control = control
        self._failures = failures
        self._outdated: set[str] = set()
        self._restarts: dict[str, int] = {}
        self._plan_unavailable = False
        self._told = False

    def tell(self) -> None:
        """Say what plan holds, unless that was said."""
        if not self._told and not self._plan_unavailable:
            self._told = True
            self._control.planned(self._session, self._planner)

    def _advance(self) -> Iterator[Event]:
        if not self._plan_unavailable:
            yield from super()._advance()

    def _heed(self, stops: Stops) -> Iterator[Event]:
        self.tell()
        yield from super()._heed(stops)
        yield from self._control.ticks()
        while changed := self._control.changed():
            yield from self._replan(changed)

    def _start(self, name: str) -> Iterator[Event]:
        known, fingerprint = self._failures.get(name), self._planner.situation(name).fingerprint
        if known is None or known.fingerprint != fingerprint:
            yield from super()._start(name)
            return
        self._queue.release(name)
        last = known.ended.message.strip().rpartition("\n")[2].strip()
        text = f"as before, with the same code and inputs; it was not run again\n{last}"
        yield self._end(replace(known.ended, message=text, tail=()))

    def _done(self, done: JobDone) -> Iterator[Event]:
        attempt = self._attempts.get(done.stage)
        if not self._plan_unavailable and done.stage not in self._outdated and (moved := self._moved(attempt)):
            yield from self._replan((moved,))  # saved a moment ago: whether it reaches this stage, a plan can say
        if self._plan_unavailable or done.stage in self._outdated:
            yield from self._discard(done.stage)
            return
        self._failures.pop(done.stage, None)
        yield from super()._done(done)

    def _failed(self, failed: JobFailed) -> Iterator[Event]:
        if failed.stage in self._outdated:
            yield from self._discard(failed.stage)
        else:
            yield from super()._failed(failed)

    def _try_again(self, attempt: Attempt, moved: str) -> Iterator[Event]:
        yield from super()._try_again(attempt, moved)
        if self.endings.get(attempt.stage) == "failed":
            self._fail_as_left(attempt.stage)

    def _fail_as_left(self, name: str) -> None:
        """What a stage has written over its own input is no reason to try it again."""
        self._session.inputs.forget_all()
        fingerprint = self._session.planner().decide(name).fingerprint
        if fingerprint and name in self._failures:
            self._failures[name] = replace(self._failures[name], fingerprint=fingerprint)

    def _end(self, ended: StageEnded) -> StageEnded:
        if ended.ending == "failed":
            decision, known = self._planner.decide(ended.stage), self._failures.get(ended.stage)
            is_new = known is None or known.fingerprint != decision.fingerprint
            if is_new and decision.action is Action.RUN and decision.fingerprint:
                self._failures[ended.stage] = StageFailure(decision.fingerprint, ended)
        return super()._end(ended)

    def _moved(self, attempt: Attempt) -> str:
        return self._session.moved(attempt.situation.stage.spec)

    def _replan(self, changed: tuple[str, ...]) -> Iterator[Event]:
        """Plan from the files as they are now, and end what runs for something else."""
        yield Changed(changed)
        # What has ended is known by its record from here on, in whatever plan.
        self._recorder.flush(now=True)
        self._session.forget()
        try:
            plan = self._from_now_on()
        except ImportAbandoned:
            self._plan_unavailable = True  # the next change is here already
            return
        except PivotError as error:
            self._plan_unavailable = True
            yield Unplanned(str(error))
            return
        self._plan_unavailable = False
        self._told = False
        yield RunPlanned(plan)
        yield from (Unplanned(one.message, one.file) for one in self._session.failures())
        for attempt in self._attempts.open():
            if not self._holds(attempt):
                self._outdated.add(attempt.stage)
                self._attempts.end(attempt.stage)

    def _from_now_on(self) -> Plan:
        """A plan that takes nothing from the one before; what it finds undone has not ended, whatever was said."""
        self._planner = self._session.planner()
        plan = self.prepare(self._control)
        kept = {name for name, one in plan.decisions.items() if one.action is Action.KEEP}
        for name in [name for name in self.endings if name not in kept]:
            del self.endings[name]
        self._plan_anew()
        return plan

    def _holds(self, attempt: Attempt) -> bool:
        """Whether a stage that runs is still what the plan would start."""
        name, spec = attempt.stage, attempt.situation.stage.spec
        if name not in self._planner.stages:
            return spec.file in {one.file for one in self._session.failures()}  # not gone: unreadable for now
        decision = self._planner.decide(name)
        return decision.action is Action.RUN and decision.fingerprint == attempt.situation.fingerprint

    def _discard(self, name: str) -> Iterator[Event]:
        """The end of a run that counts for nothing; the stage is decided anew."""
        self._outdated.discard(name)
        attempt = self._attempts.pop(name)
        self._queue.release(name)
        attempt.aside.rollback()
        self._session.inputs.forget(attempt.situation.stage.spec.out_paths())
        self._restarts[name] = self._restarts.get(name, 0) + 1
        if self._plan_unavailable:
            yield self._end(StageEnded(name, "skipped", attempt.reasons, message="its inputs changed while it ran"))
        elif self._restarts[name] > RESTARTS:
            text = f"its inputs changed while it ran, {RESTARTS} times over: does the stage write them itself?"
            yield self._end(StageEnded(name, "failed", attempt.reasons, message=text))
            self._fail_as_left(name)
        else:
            yield Noticed("ended, since its inputs have changed", name)
            self._plan_anew()
