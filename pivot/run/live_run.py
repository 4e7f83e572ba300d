"""A run that goes on while its files are edited: what has ended counts, what a change does not reach goes on, and a
stage whose inputs have changed under it is ended and starts again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from pivot.errors import PivotError
from pivot.plan.decision import Action
from pivot.plan.planner import Planner
from pivot.plan.situation import Situation
from pivot.pool.jobs import JobDone, JobFailed
from pivot.pool.pool import ImportAbandoned
from pivot.run.attempts import Attempt
from pivot.run.events import Beat, Changed, Event, Noticed, Paused, RunEnded, RunPlanned, StageEnded, Unplanned
from pivot.run.execute import Run, RunControl
from pivot.run.selection import RunOptions, Selection
from pivot.run.session import Session
from pivot.run.stage_states import StageState
from pivot.worker.interrupts import Stops

RESTARTS = 20


class RunInput(Stops, Protocol):
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
    session: Session, selection: Selection, options: RunOptions, source: RunInput, failures: dict[str, StageFailure]
) -> Iterator[Event]:
    """Bring the selected stages up to date, and keep them so while their files change.

    A stage that failed is not tried again in the same situation: `failures` holds what is known of that, and is kept
    up to date.

    Raises:
        PivotError: there is nothing that can be planned.
        ImportAbandoned: something changed while the plan was being made.
    """
    began = time.monotonic()
    control = LiveControl(source, failures)
    run = Run(session, selection, options, control)
    try:
        yield from run.announce(run.prepare(source))
        yield from (Unplanned(one.message, one.file) for one in session.failures())
        yield from run.loop(source)
        control.tell(run)
    finally:
        run.close()
    yield from run.finish()
    yield RunEnded(run.states.endings(), time.monotonic() - began, bool(source.count))


class LiveControl(RunControl):
    """Lets a run follow edits. While the files cannot be planned nothing starts, and what runs goes on."""

    def __init__(self, source: RunInput, failures: dict[str, StageFailure]) -> None:
        self._source = source
        self._failures = failures
        self._outdated: set[str] = set()
        self._restarts: dict[str, int] = {}
        self._told = False

    def tell(self, run: Run) -> None:
        """Say what plan holds, unless that was said."""
        if not self._told and self.has_plan:
            self._told = True
            self._source.planned(run.session, run.planner)

    def follow(self, run: Run) -> Iterator[Event]:
        self.tell(run)
        yield from self._source.ticks()
        while changed := self._source.changed():
            yield from self._replan(run, changed)

    def known_end(self, situation: Situation) -> StageEnded | None:
        known = self._failures.get(situation.stage.name)
        if known is None or known.fingerprint != situation.fingerprint:
            return None
        last = known.ended.message.strip().rpartition("\n")[2].strip()
        text = f"as before, with the same code and inputs; it was not run again\n{last}"
        return replace(known.ended, message=text, tail=())

    def before_end(self, run: Run, job: JobDone | JobFailed) -> Iterator[Event]:
        if isinstance(job, JobFailed):
            return
        if not self.is_outdated(job):
            spec = run.attempts.get(job.stage).situation.stage.spec
            if moved := run.session.moved(spec):
                yield from self._replan(run, (moved,))  # saved a moment ago: whether it reaches this stage, a plan says
        if not self.is_outdated(job):
            self._failures.pop(job.stage, None)

    def is_outdated(self, job: JobDone | JobFailed) -> bool:
        return job.stage in self._outdated or (isinstance(job, JobDone) and not self.has_plan)

    def discarded(self, run: Run, attempt: Attempt) -> Iterator[Event]:
        """The stage is decided on once more."""
        name = attempt.stage
        self._outdated.discard(name)
        self._restarts[name] = self._restarts.get(name, 0) + 1
        if not self.has_plan:
            yield run.end(StageEnded(name, "skipped", attempt.reasons, message="its inputs changed while it ran"))
        elif self._restarts[name] > RESTARTS:
            text = f"its inputs changed while it ran, {RESTARTS} times over: does the stage write them itself?"
            yield run.end(StageEnded(name, "failed", attempt.reasons, message=text))
            self.unstable(run, name)
        else:
            yield Noticed("ended, since its inputs have changed", name)
            run.states.move(name, StageState.WAITING)
            run.plan_anew()

    def failed(self, ended: StageEnded, planner: Planner) -> None:
        decision, known = planner.decide(ended.stage), self._failures.get(ended.stage)
        is_new = known is None or known.fingerprint != decision.fingerprint
        if is_new and decision.action is Action.RUN and decision.fingerprint:
            self._failures[ended.stage] = StageFailure(decision.fingerprint, ended)

    def unstable(self, run: Run, stage: str) -> None:
        """What a stage has written over its own input is no reason to try it again."""
        run.session.inputs.forget_all()
        fingerprint = run.session.planner().decide(stage).fingerprint
        if fingerprint and stage in self._failures:
            self._failures[stage] = replace(self._failures[stage], fingerprint=fingerprint)

    def _replan(self, run: Run, changed: tuple[str, ...]) -> Iterator[Event]:
        """Plan from the files as they are now, and end what runs for something else."""
        yield Changed(changed)
        try:
            plan = run.plan_from_files(self._source)
        except ImportAbandoned:
            self.has_plan = False  # the next change is here already
            return
        except PivotError as error:
            self.has_plan = False
            yield Unplanned(str(error))
            return
        self.has_plan = True
        self._told = False
        yield RunPlanned(plan)
        yield from (Unplanned(one.message, one.file) for one in run.session.failures())
        for attempt in run.attempts.open():
            if not _holds(run, attempt):
                self._outdated.add(attempt.stage)
                run.attempts.end(attempt.stage)


def _holds(run: Run, attempt: Attempt) -> bool:
    """Whether a stage that runs is still what the plan would start."""
    name, spec = attempt.stage, attempt.situation.stage.spec
    if name not in run.planner.stages:
        return spec.file in {one.file for one in run.session.failures()}  # not gone: unreadable for now
    decision = run.planner.decide(name)
    return decision.action is Action.RUN and decision.fingerprint == attempt.situation.fingerprint
