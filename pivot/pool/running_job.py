"""One running job on the command's side: its pipes, its deadline, its answer, and what these make of its end."""

from __future__ import annotations

import os
import signal
import time

from pivot.pool.connection import ServerConnection
from pivot.pool.exit_status import explain_exit
from pivot.pool.jobs import Job, JobDone, JobFailed
from pivot.pool.logs import LogFile
from pivot.pool.output_capture import Capture, PrintedLine
from pivot.store.odb.objects import Object
from pivot.worker.protocol import (
    LOST_ANSWER,
    RESULT_LIMIT,
    STUCK_AT_END,
    Exited,
    FailureKind,
    FrameReader,
    FromStage,
    Kill,
    ProtocolError,
    RunStage,
    StageDone,
    StageFailed,
)

_READ = 1 << 16


class RunningJob:
    """A job from its start to its event. `deadline` is when `pass_deadline` must be called (monotonic seconds)."""

    def __init__(self, job: Job, log: LogFile) -> None:
        self.job = job
        self.pid = 0
        self.deadline: float | None = None
        self.result, self._result_end = os.pipe()
        output, self._output_end = os.pipe()
        os.set_blocking(self.result, False)
        self.capture = Capture(output, log)
        self._connection: ServerConnection | None = None
        self._answer: StageDone | StageFailed | None = None
        self._reader = FrameReader(FromStage, RESULT_LIMIT)
        self._trouble = ""
        self.result_ended = False
        self._ended_for: tuple[FailureKind, str] | None = None
        self._started = time.monotonic()

    @property
    def connection(self) -> ServerConnection | None:
        return self._connection

    def begin(self, connection: ServerConnection) -> None:
        """Hand the job to its code server."""
        job = self.job
        self._connection = connection
        self._started = time.monotonic()
        self.deadline = None if job.timeout is None else self._started + job.timeout
        order = RunStage(job.id, job.stage, job.code, job.memory, job.terminal)
        connection.send(order, (self._result_end, self._output_end))
        self._close_far_ends()

    def read_result(self) -> bool:
        """Take what has come of the answer; whether something had."""
        try:
            data = os.read(self.result, _READ)
        except BlockingIOError:
            return False
        try:
            for message in self._reader.feed(data):
                self._answer = self._answer or message
        except ProtocolError as error:
            self._trouble = str(error)
        self.result_ended = not data or bool(self._trouble)
        return not self.result_ended

    def end(self, kind: FailureKind, message: str, grace: float) -> None:
        """Ask the stage to end, and kill it after `grace` seconds; asking again gives it no more of them."""
        if self._ended_for is not None:
            return
        self._ended_for = (kind, message)
        self._signal(signal.SIGTERM)
        self.deadline = time.monotonic() + grace

    def pass_deadline(self, grace: float) -> None:
        """The time is up: of the stage, or of the grace that it was given."""
        if self._ended_for is None:
            self.end("timeout", f"it ran for more than {self.job.timeout:g} s", grace)
        else:
            self._signal(signal.SIGKILL)
            self.deadline = None

    def fail_import(self, message: str) -> None:
        """The pipeline file could not be imported, so the job cannot begin."""
        self._answer = StageFailed("import", "its pipeline file cannot be imported", message, [], 0.0)

    def drain(self) -> list[PrintedLine]:
        """The process has ended: take all that it wrote."""
        while self._answer is None and self.read_result():
            pass
        return self.capture.drain()

    def finish(self, exited: Exited | None) -> JobDone | JobFailed:
        """The event of a job whose process has ended (None: together with its code server)."""
        self.close()
        cpu, memory = (exited.cpu, exited.memory) if exited else (0.0, 0)
        if isinstance(self._answer, StageDone):
            return self._done(self._answer, cpu, memory)
        found = self._failure(exited)
        return JobFailed(
            self.job.stage,
            self.job,
            found.kind,
            found.message,
            found.traceback,
            tuple(found.inputs),
            found.seconds,
            cpu,
            memory,
            tuple(self.capture.tail),
            self.capture.log.path,
        )

    def close(self) -> None:
        self._close_far_ends()
        os.close(self.result)
        self.capture.close()

    def _done(self, answer: StageDone, cpu: float, memory: int) -> JobDone:
        return JobDone(
            self.job.stage,
            self.job,
            {path: Object(put.id, put.mode, put.size) for path, put in answer.outs.items()},
            max(answer.seconds, time.monotonic() - self._started),  # where it is spawned, it imports first
            cpu,
            memory,
            tuple(answer.modules),
            tuple(answer.undeclared),
            answer.environment,
            answer.stats,
            tuple(answer.warnings),
            answer.carried,
            self.capture.log.path,
        )

    def _failure(self, exited: Exited | None) -> StageFailed:
        seconds = time.monotonic() - self._started
        if self._ended_for:
            return StageFailed(*self._ended_for, "", [], seconds)
        if isinstance(self._answer, StageFailed):
            return self._answer
        if self._trouble:
            return StageFailed("protocol", f"its answer could not be read: {self._trouble}", "", [], seconds)
        if exited is None:
            return StageFailed("signal", "the process that imported its code ended, and it with it", "", [], seconds)
        code = os.WEXITSTATUS(exited.status) if os.WIFEXITED(exited.status) else 0
        if code == LOST_ANSWER:
            text = "it closed or replaced file descriptors that are not its own, so its result could not be reported"
            return StageFailed("protocol", text, "", [], seconds)
        if code == STUCK_AT_END:
            text = "a pool of threads that it had left open did not close when it had returned"
            return StageFailed("threads", text, "", [], seconds)
        return StageFailed(*explain_exit(exited.status), "", [], seconds)

    def _signal(self, number: int) -> None:
        if self._connection:
            self._connection.send(Kill(self.job.id, number))

    def _close_far_ends(self) -> None:
        for descriptor in (self._result_end, self._output_end):
            if descriptor >= 0:
                os.close(descriptor)
        self._result_end = self._output_end = -1
