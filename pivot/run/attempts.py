"""Stages that run now: each a attempt until its inputs are seen to be the ones that its fingerprint was made from."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from msgspec import Struct

from pivot.plan.decision import Reason
from pivot.plan.environment_drift import undeclared_sentence
from pivot.plan.external_inputs import identify_external
from pivot.plan.situation import Situation
from pivot.pool.jobs import Job, JobDone, JobEvent, JobFailed
from pivot.run.events import Ending, StageEnded
from pivot.run.failed_outputs import Remains
from pivot.run.outputs import Outputs
from pivot.run.recorder import Result
from pivot.run.session import Session
from pivot.state.records import Info, Output
from pivot.store.worktree.output_backup import OutputBackup

_TICK = 20_000_000  # ns


class Attempt(Struct, frozen=True):
    """A stage under way since `began` (ns): its situation, why it runs, and its old outputs, set aside."""

    situation: Situation
    reasons: tuple[Reason, ...]
    aside: OutputBackup
    job: Job
    began: int

    @property
    def stage(self) -> str:
        return self.situation.stage.name


class Attempts:
    """The attempts under way, by stage."""

    def __init__(self, session: Session, outputs: Outputs, terminal: str = "") -> None:
        self._session = session
        self._outputs = outputs
        self._terminal = terminal
        self._remains = Remains(session.project.root, session.project.pivot_dir)
        self._ids = count(1)
        self._open: dict[str, Attempt] = {}

    def __len__(self) -> int:
        return len(self._open)

    def stages(self) -> list[str]:
        return list(self._open)

    def start(self, situation: Situation, reasons: tuple[Reason, ...]) -> None:
        """Set the stage's old outputs aside and start its process."""
        spec = situation.stage.spec
        self._remains.forget(spec.name)
        aside = self._outputs.set_aside(spec)
        # The manifest that the code server knows has no modules of earlier runs in it.
        code = self._session.code(spec)
        timeout = None if self._terminal else spec.policy.timeout  # who looks at a failure takes their time
        job = Job(next(self._ids), spec.name, spec.file, code, timeout, terminal=self._terminal)
        self._open[spec.name] = Attempt(situation, reasons, aside, job, time.time_ns())
        self._session.workers.start(job)

    def events(self, timeout: float) -> Sequence[JobEvent]:
        return self._session.workers.events(timeout)

    def open(self) -> list[Attempt]:
        return list(self._open.values())

    def get(self, stage: str) -> Attempt:
        return self._open[stage]

    def end(self, stage: str) -> None:
        """Ask one stage to end; it does so as a failed job of kind `cancelled`, unless it was done already."""
        self._session.workers.cancel(self._open[stage].job)

    def pop(self, stage: str) -> Attempt:
        return self._open.pop(stage)

    def moved(self, attempt: Attempt, modules: Iterable[str]) -> str:
        """The input that changed while the stage ran, if one did; empty if all stand.

        `modules` were imported meanwhile: their bytes are known only by not having changed since the stage began.
        """
        inputs, situation = self._session.inputs, attempt.situation
        spec = situation.stage.spec
        inputs.forget(spec.dep_paths())
        for path in spec.dep_paths():
            # What another stage wrote is known as an output: a symlink as itself.
            if not any(one and one.id == situation.deps[path] for one in (inputs.at(path), inputs.output_at(path))):
                return path
        for address in spec.external_paths():
            if identify_external(address, inputs) != situation.deps[address]:
                return address
        young = (path for path in modules if _changed_since(self._session.project.root / path, attempt.began))
        return next(young, "") or self._session.moved(spec)

    def result(self, situation: Situation, done: JobDone, modules: Sequence[str], tries: int) -> Result:
        """What the run cache is to keep of a finished attempt."""
        project, stage = self._session.project, situation.stage
        pipeline = self._session.pipeline(stage.spec)
        project.stats.absorb(done.stats)
        tree = project.store.tree_id(done.outs)
        outs = {path: Output(out.id, out.mode, out.size) for path, out in done.outs.items()}
        info = Info(
            stage=stage.name,
            entries=tuple((entry.name, entry.file, entry.line) for entry in stage.manifest.entries),
            seconds=round(done.seconds, 3),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            host=platform.node(),
            python=platform.python_version(),
            user=f"{project.author.name} <{project.author.email}>",
            packages=pipeline.packages,
            environment={**pipeline.environment, **done.environment},
            memory=done.memory,
            cpu=round(done.cpu, 3),
            undeclared=done.undeclared,
            tries=tries,
        )
        return Result(situation.result(outs, tree), info, tuple(modules), done.carried)

    def refused(self, attempt: Attempt, done: JobDone) -> StageEnded | None:
        """The end of a stage that reads or writes what it does not declare, where a setting forbids that."""
        if not done.undeclared or self._session.policies.undeclared != "error":
            return None
        message = f"{undeclared_sentence(done.undeclared)} (pivot.undeclared = error)"
        return failed_as(attempt, done, message, self.undo(attempt))

    def undo(self, attempt: Attempt) -> str:
        """Put the old outputs back; what a stage that failed had written is moved to the folder that is told."""
        partial = self._remains.put_by(attempt.stage, attempt.situation.stage.spec.out_paths())
        attempt.aside.rollback()
        return partial

    def warnings(self, done: JobDone) -> list[str]:
        """What is to be said of a stage that ended well."""
        undeclared = done.undeclared if self._session.policies.undeclared == "warn" else ()
        return [*done.warnings, *([undeclared_sentence(undeclared)] if undeclared else [])]

    def cancel(self) -> None:
        """Kill what runs; each ends as a failed done."""
        for attempt in self._open.values():
            self._session.workers.cancel(attempt.job)

    def close(self) -> None:
        """Kill what still runs and put its old outputs back."""
        self.cancel()
        for attempt in self._open.values():
            attempt.aside.rollback()
        self._open.clear()
        self._outputs.close()


def failed_as(
    attempt: Attempt, told: JobDone | JobFailed, message: str, partial: str = "", ending: Ending = "failed"
) -> StageEnded:
    """The end of a attempt that gives no result; `partial` is the folder with what it had written."""
    tail = told.tail if isinstance(told, JobFailed) and ending == "failed" else ()
    return StageEnded(attempt.stage, ending, attempt.reasons, told.seconds, message, told.log, tail, partial)


def _changed_since(path: Path, began: int) -> bool:
    """Whether a file may have other bytes than when the stage began; times are as coarse as the kernel's clock."""
    try:
        told = path.stat()
    except OSError:
        return True
    return max(told.st_mtime_ns, told.st_ctime_ns) > began - _TICK
