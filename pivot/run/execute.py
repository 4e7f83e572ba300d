"""The run: decide, restore, run, record, and decide again for what that changes. A generator of events."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pivot.code.walk.late_imports import beyond
from pivot.errors import DamagedObject, MissingObject, PivotError
from pivot.plan.decision import Action, Decision, Plan, Reason, as_kept
from pivot.pool.jobs import FilePrinted, JobDone, JobFailed, JobPrinted, failure_text
from pivot.run.attempts import Attempt, Attempts, failed_as
from pivot.run.events import (
    Ending,
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
from pivot.schedule.admission_queue import AdmissionQueue, work_ahead
from pivot.schedule.forecast import forecast
from pivot.schedule.ready_set import ReadySet
from pivot.schedule.resource_limits import read_limits
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
    yield RunEnded(run.endings, time.monotonic() - began, bool(interrupts.count))


class Run:
    """One run over a selection of stages; `endings` fills as stages end."""

    def __init__(self, session: Session, selection: Selection, options: RunOptions) -> None:
        self.endings: dict[str, Ending] = {}
        self._session = session
        self._options = options
        self._selection = selection
        self._planner = session.planner()
        self._ready_set = ReadySet(self._planner.graph, ())
        self._limits = read_limits(session.project.settings, options.jobs)
        self._queue = AdmissionQueue(self._limits, options.budget)
        self._tries: dict[str, int] = {}
        self._stopping = False
        self._recorder = Recorder(session.project, session.memory, options.verb)
        self._outputs = Outputs(session.project, discard_edits=options.discard_edits)
        self._attempts = Attempts(session, self._outputs, options.terminal)
        self._prefetch = Prefetch(session.project, session.workers.wake)

    def prepare(self, stops: Stops) -> Plan:
        """Plan; where something must run, from an analysis made by the very processes that will run it."""
        plan = self._plan_anew()
        files = {self._planner.stages[name].spec.file for name in plan.to_run()}
        if files and self._session.refresh(files):
            plan = self._plan_anew()
        while lacking := self._prefetch.missing(self._planner, plan, lambda: bool(stops.count)):
            self._session.inputs.elsewhere.lack(lacking)
            plan = self._plan_anew()
        self._queue.check(plan.to_run())
        self._outputs.exclude(self._planner)
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
            if not self._attempts and not self._prefetch and (self._stopping or not self._queue.waiting_for_retry()):
                break
            for event in self._attempts.events(POLL_SECONDS):
                match event:
                    case JobPrinted(stage, line):
                        yield StagePrinted(stage, line, event.passing)
                    case FilePrinted(file, line):
                        yield Noticed(line, file)
                    case JobDone():
                        yield from self._done(event)
                    case JobFailed():
                        yield from self._failed(event)
            for fetched in self._prefetch.arrivals(0 if self._attempts else POLL_SECONDS):
                yield from self._arrived(fetched)
            self._recorder.flush()
            yield from self._heed(stops)
            if not self._attempts and not self._prefetch:
                self._queue.sleep_until_retry(POLL_SECONDS)
        unfit, resting = self._planner.graph.with_downstreams(self._queue.too_long), self._queue.abandon_retries()
        yield from map(self._end, leave_out(self._planner.graph, self._ready_set.left(), self.endings, resting, unfit))

    def finish(self) -> Iterator[Event]:
        """Write what the run found out, and say what is to be said once."""
        yield from (Noticed(text) for text in self._outputs.notices)
        self._session.memory.last.keep_endings(self.endings)
        if not self._session.given:  # else this is not what the commit stands on
            yield from (Noticed(text) for text in self._outputs.note(self._planner))

    def close(self) -> None:
        """Stop what still runs, put back what was set aside for it, and keep every finished stage."""
        self._attempts.close()
        self._prefetch.close()
        self._recorder.flush(now=True)

    def _plan_anew(self) -> Plan:
        before, self._planner = self._planner, self._session.planner()
        self._planner.take_outcomes(before)
        self._forget_orders()
        names = self._selection.apply(self._planner)
        self._ready_set = ReadySet(self._planner.graph, [name for name in names if name not in self.endings])
        for name in (*self._attempts.stages(), *self._queue.waiting_for_retry()):
            self._ready_set.hold(name)
        plan = self._planner.plan(names)
        self._queue.replace(work_ahead(self._session.memory, self._planner, plan))
        return plan

    def _advance(self) -> Iterator[Event]:
        """Settle every stage that has become ready, and start as many as jobs allow."""
        while (name := self._ready_set.take_one()) is not None:
            decision = self._planner.decide(name)
            if decision.action is Action.RUN:
                self._queue.push(name)
            else:
                yield from self._finish_without_run(name, decision)
        yield from self._fill()
        if self._stopping:
            self._forget_orders()
        # What could not even start may have made others ready (to be blocked).
        if not self._attempts and self._ready_set.has_ready():
            yield from self._advance()

    def _fill(self) -> Iterator[Event]:
        while not self._stopping and (following := self._queue.pop()) is not None:
            yield from self._start(following)

    def _finish_without_run(self, name: str, decision: Decision) -> Iterator[Event]:
        """End a stage that needs no run."""
        if decision.action in (Action.BLOCKED, Action.WAIT):
            message = "; ".join(reason.text for reason in decision.reasons)
            yield self._end(StageEnded(name, "blocked", decision.reasons, message=message))
        elif decision.action is Action.RESTORE and decision.away:
            yield self._prefetch.request(name, outputs_away(decision))
        else:
            yield from self._bring(name, decision)

    def _bring(self, name: str, decision: Decision) -> Iterator[Event]:
        if (restores := decision.action is Action.RESTORE) and decision.record:
            yield StageRestoring(name, sum(out.size for out in decision.record.outs.values()))
        try:
            self._outputs.bring(self._planner.stages[name].spec, decision)
        except (DamagedObject, MissingObject) as error:  # found out only now: what is lost is run or pulled again
            yield from self._plan_again(name, decision.reasons, error.what, str(error))
            return
        except PivotError as error:
            yield self._end(StageEnded(name, "failed", decision.reasons, message=str(error)))
            return
        yield from (Noticed(warning, name) for warning in decision.warnings)
        self._planner.record_outcome(name, decision)
        if decision.record is not None:
            self._session.memory.last.remember(name, decision.record.fingerprint, decision.record.result)
        yield self._end(StageEnded(name, "restored" if restores else "unchanged", decision.reasons))

    def _start(self, name: str) -> Iterator[Event]:
        away = inputs_away(self._planner, name)
        yield from [self._prefetch.request(name, away)] if away else self._launch(name)

    def _arrived(self, fetched: Fetched) -> Iterator[Event]:
        """Go on with a stage whose bytes are here, or end it if they could not be had."""
        name, decision = fetched.stage, self._planner.decide(fetched.stage)
        runs = decision.action is Action.RUN
        try:
            if fetched.error:
                raise fetched.error
            self._outputs.place(inputs_away(self._planner, name) if runs else {}, f"{name} was run")
        except PivotError as error:
            if runs:
                self._queue.release(name)
            yield self._end(StageEnded(name, "failed", decision.reasons, message=str(error)))
            return
        yield from self._launch(name) if runs else self._bring(name, decision)

    def _forget_orders(self) -> None:
        """Stages that waited for bytes are planned again, or not at all."""
        for name in set(self._prefetch.forget()).intersection(self._queue.running()):
            self._queue.release(name)

    def _launch(self, name: str) -> Iterator[Event]:
        decision = self._planner.decide(name)
        yield StageStarted(name, decision.reasons, self._queue.work.seconds.get(name))
        try:
            self._attempts.start(self._planner.situation(name), decision.reasons)
        except PivotError as error:
            self._queue.release(name)
            yield self._end(StageEnded(name, "failed", decision.reasons, message=str(error)))

    def _done(self, done: JobDone) -> Iterator[Event]:
        attempt = self._attempts.pop(done.stage)
        self._queue.release(done.stage)
        early = [] if self._ready_set.is_awaited(done.stage) else list(self._fill())  # no core waits for the disk
        yield from self._take_in(attempt, done)
        yield from early

    def _take_in(self, attempt: Attempt, done: JobDone) -> Iterator[Event]:
        modules = beyond(attempt.situation.stage.manifest, done.modules)
        if moved := self._attempts.moved(attempt, modules):
            yield from self._try_again(attempt, moved)
            return
        if refused := self._attempts.refused(attempt, done):
            yield self._end(refused)
            return
        situation = self._planner.widened(attempt.situation, modules) if modules else attempt.situation
        result = self._attempts.result(situation, done, modules, self._queue.tries(done.stage))
        self._recorder.write(situation, result)
        self._outputs.forget_equal(result.record.outs)
        attempt.aside.commit()
        self._planner.record_outcome(attempt.stage, as_kept(attempt.stage, result.record))
        yield from (Noticed(warning, attempt.stage) for warning in self._attempts.warnings(done))
        yield self._end(StageEnded(attempt.stage, "ran", attempt.reasons, seconds=done.seconds, log=done.log))

    def _failed(self, failed: JobFailed) -> Iterator[Event]:
        attempt = self._attempts.pop(failed.stage)
        self._queue.release(failed.stage)
        if failed.kind == "moved":
            yield from self._try_again(attempt, "its code")
            return
        if failed.kind == "cancelled":
            attempt.aside.rollback()
            yield self._end(failed_as(attempt, failed, failed.message, ending="skipped"))
            return
        partial, text = self._attempts.undo(attempt), failure_text(failed)
        wait = None if self._stopping else self._queue.try_again(failed.stage, failed.kind)
        if wait is not None:
            yield Noticed(f"failed; tries again in {wait:.1f} s\n{text}", attempt.stage)
            return
        yield self._end(failed_as(attempt, failed, text, partial))

    def _try_again(self, attempt: Attempt, moved: str) -> Iterator[Event]:
        """A result of inputs that moved is the result of no situation: plan the stage again."""
        attempt.aside.rollback()
        message = f"{moved} changed while it ran, {TRIES} times over: does the stage write it itself?"
        self._session.refresh({attempt.situation.stage.spec.file})
        yield from self._plan_again(attempt.stage, attempt.reasons, f"inputs changed while running ({moved})", message)

    def _plan_again(self, name: str, reasons: tuple[Reason, ...], why: str, message: str) -> Iterator[Event]:
        """What a decision stood on turned out otherwise; a stage of which that is so for ever fails with `message`."""
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] < TRIES:
            yield Noticed(f"{why}; planned again", name)
            self._session.inputs.forget_all()
            self._plan_anew()
        else:
            yield self._end(StageEnded(name, "failed", reasons, message=message))

    def _heed(self, stops: Stops) -> Iterator[Event]:
        if stops.count and not self._stopping:
            self._stopping = True
            yield Noticed(f"stopping; waiting for {', '.join(self._attempts.stages())} (Ctrl-C again kills)")
        if stops.count > 1:
            self._attempts.cancel()

    def _end(self, ended: StageEnded) -> StageEnded:
        """Take down how a stage ended, and let go on what waited for it."""
        self.endings[ended.stage] = ended.ending
        if ended.ending in ("failed", "blocked"):
            self._planner.record_outcome(ended.stage, Decision(ended.stage, Action.BLOCKED, ended.reasons))
            self._stopping = self._stopping or (ended.ending == "failed" and not self._options.keep_going)
        self._ready_set.end(ended.stage)
        return ended
