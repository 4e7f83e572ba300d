"""The run: decide, restore, run, record, and decide again for what that changes. A generator of events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from pivot.code.walk.late_imports import beyond
from pivot.errors import DamagedObject, MissingObject, PivotError
from pivot.plan.decision import Action, Decision, Plan, Reason, as_kept
from pivot.plan.planner import Planner
from pivot.plan.situation import Situation
from pivot.pool.jobs import FilePrinted, JobDone, JobFailed, JobPrinted, failure_text
from pivot.run.attempts import Attempt, Attempts, failed_as
from pivot.run.events import (
    Event,
    Noticed,
    RunEnded,
    RunForecast,
    RunPlanned,
    StageEnded,
    StagePrinted,
    StageRestoring,
    StageStarted,
)
from pivot.run.not_started import leave_out
from pivot.run.outputs import Outputs
from pivot.run.prefetch import Fetched, Prefetch, inputs_away, outputs_away
from pivot.run.recorder import Recorder
from pivot.run.selection import RunOptions, Selection
from pivot.run.session import Session
from pivot.run.stage_states import StageState, StageStates
from pivot.schedule.admission_queue import AdmissionQueue, work_ahead
from pivot.schedule.forecast import forecast
from pivot.schedule.resource_limits import read_limits
from pivot.store.odb.objects import Object
from pivot.worker.interrupts import Interrupts, Stops

POLL_SECONDS = 0.25
TRIES = 3


def execute(session: Session, selection: Selection, options: RunOptions) -> Iterator[Event]:
    """Bring the selected stages up to date.

    Raises:
        TargetError: the selection names nothing.
        PipelineError, CodeError: the pipelines cannot be planned.
    """
    began = time.monotonic()
    run = Run(session, selection, options)
    with Interrupts() as interrupts:
        try:
            yield from run.announce(run.prepare(interrupts))
            yield from run.loop(interrupts)
        finally:
            run.close()
        yield from run.finish()
    yield RunEnded(run.states.endings(), time.monotonic() - began, bool(interrupts.count))


class RunControl:
    """What a run asks while it is under way. This one leaves it as it was planned when it began.

    While `has_plan` is False nothing is started.
    """

    has_plan = True

    def follow(self, run: Run) -> Iterator[Event]:
        """Asked several times a second: take in what has changed outside."""
        yield from ()

    def known_end(self, situation: Situation) -> StageEnded | None:
        """How a stage would end that is about to start, where that is known already."""
        return None

    def before_end(self, run: Run, job: JobDone | JobFailed) -> Iterator[Event]:
        """A stage's process has ended, and nothing was made of it yet."""
        yield from ()

    def is_outdated(self, job: JobDone | JobFailed) -> bool:
        """Whether what has ended counts for nothing, since its inputs are not what they were."""
        return False

    def discarded(self, run: Run, attempt: Attempt) -> Iterator[Event]:
        """An outdated attempt was taken back: say what becomes of its stage."""
        yield from ()

    def failed(self, ended: StageEnded, planner: Planner) -> None:
        """A stage is about to be taken down as failed."""

    def unstable(self, run: Run, stage: str) -> None:
        """A stage has failed, since its inputs changed with each of its attempts."""


class Run:
    """One run over a selection of stages, alone or as its `control` has it."""

    def __init__(
        self, session: Session, selection: Selection, options: RunOptions, control: RunControl | None = None
    ) -> None:
        self.states = StageStates()
        self._control = control or RunControl()
        self.session = session
        self._options = options
        self._selection = selection
        self.planner = session.planner()
        self._limits = read_limits(session.project.settings, options.jobs)
        self._queue = AdmissionQueue(self._limits, options.budget)
        self._tries: dict[str, int] = {}
        self._stopping = False
        self._recorder = Recorder(session.project, session.memory, options.verb)
        self._outputs = Outputs(session.project, discard_edits=options.discard_edits)
        self.attempts = Attempts(session, self._outputs, options.terminal)
        self._prefetch = Prefetch(session.project, session.workers.wake)

    def prepare(self, stops: Stops) -> Plan:
        """Plan; where something must run, from an analysis made by the very processes that will run it."""
        plan = self.plan_anew()
        files = {self.planner.stages[name].spec.file for name in plan.to_run()}
        if files and self.session.refresh(files):
            plan = self.plan_anew()
        while lacking := self._prefetch.missing(self.planner, plan, lambda: bool(stops.count)):
            self.session.inputs.elsewhere.lack(lacking)
            plan = self.plan_anew()
        self._queue.check(plan.to_run())
        self._outputs.exclude(self.planner)
        return plan

    def announce(self, plan: Plan) -> Iterator[Event]:
        """What is to be done, and how long it will take as far as past runs tell."""
        yield RunPlanned(plan)
        found = forecast(self._queue.work, plan.to_run(), self._limits)
        if found.seconds:
            yield RunForecast(found)

    def loop(self, stops: Stops) -> Iterator[Event]:
        """Until nothing is left: finish what needs no run, start what does, take in what ends."""
        while True:
            yield from self._advance()
            if not self.attempts and not self._prefetch and (self._stopping or not self._queue.has_retries()):
                break
            for event in self.attempts.events(POLL_SECONDS):
                match event:
                    case JobPrinted(stage, line):
                        yield StagePrinted(stage, line, event.passing)
                    case FilePrinted(file, line):
                        yield Noticed(line, file)
                    case JobDone() | JobFailed():
                        yield from self._ended(event)
            for fetched in self._prefetch.arrivals(0 if self.attempts else POLL_SECONDS):
                yield from self._arrived(fetched)
            self._recorder.flush()
            yield from self._heed(stops)
            if not self.attempts and not self._prefetch:
                self._queue.sleep_until_retry(POLL_SECONDS)
        unfit = self.planner.graph.with_downstreams(self._queue.too_long)
        yield from map(self.end, leave_out(self.planner.graph, self.states, unfit))

    def finish(self) -> Iterator[Event]:
        """Write what the run found out, and say what is to be said once."""
        yield from (Noticed(text) for text in self._outputs.notices)
        self.session.memory.last.keep_endings(self.states.endings())
        if not self.session.given:  # else this is not what the commit stands on
            yield from (Noticed(text) for text in self._outputs.note(self.planner))

    def close(self) -> None:
        """Stop what still runs, put back what was set aside for it, and keep every finished stage."""
        self.attempts.close()
        self._prefetch.close()
        self._recorder.flush(now=True)

    def plan_from_files(self, stops: Stops) -> Plan:
        """A plan that takes nothing from the one before; what it finds undone has not ended, whatever was said."""
        self._recorder.flush(now=True)  # what has ended is known by its record from here on
        self.session.forget()
        self.planner = self.session.planner()
        plan = self.prepare(stops)
        kept = {name for name, one in plan.decisions.items() if one.action is Action.KEEP}
        for name in self.states.endings().keys() - kept:
            self.states.move(name, StageState.WAITING)
        self.plan_anew()
        return plan

    def plan_anew(self) -> Plan:
        """Plan what has not ended, with what is known now."""
        before, self.planner = self.planner, self.session.planner()
        self.planner.take_outcomes(before)
        self._forget_orders()
        names = self._selection.apply(self.planner)
        self.states.plan(self.planner.graph, names)
        plan = self.planner.plan(names)
        self._queue.replace(work_ahead(self.session.memory, self.planner, plan))
        return plan

    def _advance(self) -> Iterator[Event]:
        """Decide on every stage that has become ready, and start as many as jobs allow."""
        if not self._control.has_plan:
            return
        while (name := self.states.next_ready()) is not None:
            decision = self.planner.decide(name)
            if decision.action is Action.RUN:
                self.states.move(name, StageState.QUEUED)
                self._queue.push(name)
            else:
                yield from self._finish_without_run(name, decision)
        yield from self._fill()
        if self._stopping:
            self._forget_orders()
        # What could not even start may have made others ready (to be blocked).
        if not self.attempts and self.states.has_ready():
            yield from self._advance()

    def _fill(self) -> Iterator[Event]:
        for name in self._queue.take_due():
            if self.states.get(name) is StageState.RETRYING:  # else it is no stage any more
                self.states.move(name, StageState.QUEUED)
                self._queue.push(name)
        while not self._stopping and (following := self._queue.pop()) is not None:
            yield from self._start(following)

    def _finish_without_run(self, name: str, decision: Decision) -> Iterator[Event]:
        """End a stage that needs no run."""
        if decision.action in (Action.BLOCKED, Action.WAIT):
            message = "; ".join(reason.text for reason in decision.reasons)
            yield self.end(StageEnded(name, "blocked", decision.reasons, message=message))
        elif decision.action is Action.RESTORE and decision.away:
            yield self._fetch(name, outputs_away(decision))
        else:
            yield from self._bring(name, decision)

    def _bring(self, name: str, decision: Decision) -> Iterator[Event]:
        if (restores := decision.action is Action.RESTORE) and decision.record:
            self.states.move(name, StageState.RESTORING)
            yield StageRestoring(name, sum(out.size for out in decision.record.outs.values()))
        try:
            self._outputs.bring(self.planner.stages[name].spec, decision)
        except (DamagedObject, MissingObject) as error:  # found out only now: what is lost is run or pulled again
            yield from self._plan_again(name, decision.reasons, error.what, str(error))
            return
        except PivotError as error:
            yield self.end(StageEnded(name, "failed", decision.reasons, message=str(error)))
            return
        yield from (Noticed(warning, name) for warning in decision.warnings)
        self.planner.record_outcome(name, decision)
        if decision.record is not None:
            self.session.memory.last.remember(name, decision.record.fingerprint, decision.record.result)
        yield self.end(StageEnded(name, "restored" if restores else "unchanged", decision.reasons))

    def _start(self, name: str) -> Iterator[Event]:
        if ended := self._control.known_end(self.planner.situation(name)):
            self._queue.release(name)
            yield self.end(ended)
        elif away := inputs_away(self.planner, name):
            yield self._fetch(name, away)
        else:
            yield from self._launch(name)

    def _fetch(self, name: str, outputs: Mapping[str, Object]) -> Event:
        self.states.move(name, StageState.FETCHING)
        return self._prefetch.request(name, outputs)

    def _arrived(self, fetched: Fetched) -> Iterator[Event]:
        """Go on with a stage whose bytes are here, or end it if they could not be had."""
        name, decision = fetched.stage, self.planner.decide(fetched.stage)
        runs = decision.action is Action.RUN
        try:
            if fetched.error:
                raise fetched.error
            self._outputs.place(inputs_away(self.planner, name) if runs else {}, f"{name} was run")
        except PivotError as error:
            if runs:
                self._queue.release(name)
            yield self.end(StageEnded(name, "failed", decision.reasons, message=str(error)))
            return
        yield from self._launch(name) if runs else self._bring(name, decision)

    def _forget_orders(self) -> None:
        """Stages that waited for bytes are planned again, or not at all."""
        running = set(self._queue.running())
        for name in self._prefetch.forget():
            self.states.move(name, StageState.WAITING)
            if name in running:
                self._queue.release(name)

    def _launch(self, name: str) -> Iterator[Event]:
        decision = self.planner.decide(name)
        yield StageStarted(name, decision.reasons, self._queue.work.seconds.get(name))
        self.states.move(name, StageState.RUNNING)
        try:
            self.attempts.start(self.planner.situation(name), decision.reasons)
        except PivotError as error:
            self._queue.release(name)
            yield self.end(StageEnded(name, "failed", decision.reasons, message=str(error)))

    def _ended(self, job: JobDone | JobFailed) -> Iterator[Event]:
        yield from self._control.before_end(self, job)
        if self._control.is_outdated(job):
            yield from self._control.discarded(self, self._discard(job.stage))
        else:
            yield from self._done(job) if isinstance(job, JobDone) else self._failed(job)

    def _discard(self, name: str) -> Attempt:
        """Take back an attempt that counts for nothing."""
        attempt = self.attempts.pop(name)
        self._queue.release(name)
        attempt.aside.rollback()
        self.session.inputs.forget(attempt.situation.stage.spec.out_paths())
        return attempt

    def _done(self, done: JobDone) -> Iterator[Event]:
        attempt = self.attempts.pop(done.stage)
        self._queue.release(done.stage)
        early = [] if self.states.is_awaited(done.stage) else list(self._fill())  # no core waits for the disk
        yield from self._take_in(attempt, done)
        yield from early

    def _take_in(self, attempt: Attempt, done: JobDone) -> Iterator[Event]:
        modules = beyond(attempt.situation.stage.manifest, done.modules)
        if moved := self.attempts.moved(attempt, modules):
            yield from self._try_again(attempt, moved)
            return
        if refused := self.attempts.refused(attempt, done):
            yield self.end(refused)
            return
        situation = self.planner.widened(attempt.situation, modules) if modules else attempt.situation
        result = self.attempts.result(situation, done, modules, self._queue.tries(done.stage))
        self._recorder.write(situation, result)
        self._outputs.forget_equal(result.record.outs)
        attempt.aside.commit()
        self.planner.record_outcome(attempt.stage, as_kept(attempt.stage, result.record))
        yield from (Noticed(warning, attempt.stage) for warning in self.attempts.warnings(done))
        yield self.end(StageEnded(attempt.stage, "ran", attempt.reasons, seconds=done.seconds, log=done.log))

    def _failed(self, failed: JobFailed) -> Iterator[Event]:
        attempt = self.attempts.pop(failed.stage)
        self._queue.release(failed.stage)
        if failed.kind == "moved":
            yield from self._try_again(attempt, "its code")
            return
        if failed.kind == "cancelled":
            attempt.aside.rollback()
            yield self.end(failed_as(attempt, failed, failed.message, ending="skipped"), StageState.CANCELLED)
            return
        partial, text = self.attempts.undo(attempt), failure_text(failed)
        wait = None if self._stopping else self._queue.retry_later(failed.stage, failed.kind)
        if wait is not None:
            self.states.move(failed.stage, StageState.RETRYING)
            yield Noticed(f"failed; tries again in {wait:.1f} s\n{text}", attempt.stage)
            return
        yield self.end(failed_as(attempt, failed, text, partial))

    def _try_again(self, attempt: Attempt, moved: str) -> Iterator[Event]:
        """A result of inputs that moved is the result of no situation: plan the stage again."""
        attempt.aside.rollback()
        message = f"{moved} changed while it ran, {TRIES} times over: does the stage write it itself?"
        self.session.refresh({attempt.situation.stage.spec.file})
        yield from self._plan_again(attempt.stage, attempt.reasons, f"inputs changed while running ({moved})", message)
        if self.states.get(attempt.stage) is StageState.FAILED:
            self._control.unstable(self, attempt.stage)

    def _plan_again(self, name: str, reasons: tuple[Reason, ...], why: str, message: str) -> Iterator[Event]:
        """What a decision stood on turned out otherwise; a stage of which that is so for ever fails with `message`."""
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] < TRIES:
            yield Noticed(f"{why}; planned again", name)
            self.session.inputs.forget_all()
            self.states.move(name, StageState.WAITING)
            self.plan_anew()
        else:
            yield self.end(StageEnded(name, "failed", reasons, message=message))

    def _heed(self, stops: Stops) -> Iterator[Event]:
        if stops.count and not self._stopping:
            self._stopping = True
            yield Noticed(f"stopping; waiting for {', '.join(self.attempts.stages())} (Ctrl-C again kills)")
        if stops.count > 1:
            self.attempts.cancel()
        yield from self._control.follow(self)

    def end(self, ended: StageEnded, state: StageState | None = None) -> StageEnded:
        """Take down how a stage ended, and let go on what waited for it; `state` where the ending does not tell it."""
        if ended.ending == "failed":
            self._control.failed(ended, self.planner)
        if ended.ending in ("failed", "blocked"):
            self.planner.record_outcome(ended.stage, Decision(ended.stage, Action.BLOCKED, ended.reasons))
            self._stopping = self._stopping or (ended.ending == "failed" and not self._options.keep_going)
        self.states.move(ended.stage, state or StageState(ended.ending))
        return ended
