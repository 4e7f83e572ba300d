"""The workers: code servers and the stages they run, behind one event loop that the command turns.

It knows processes and decides nothing: which stage runs when, and what a failure means for others, is the caller's.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from pivot.code.analysis.model import ImportFailure, PipelineModel
from pivot.pool.connection import ServerConnection
from pivot.pool.cpus import usable_cores
from pivot.pool.event_loop import Readiness
from pivot.pool.jobs import FilePrinted, Job, JobEvent, JobPrinted
from pivot.pool.logs import LogFile, log_folder
from pivot.pool.output_capture import PrintedLine
from pivot.pool.running_job import RunningJob
from pivot.pool.server_pool import Servers, WorkerSettings
from pivot.worker.process_groups import signal_group
from pivot.worker.protocol import Exited, FailureKind, Message, Started


class ImportAbandoned(Exception):
    """Nobody waits for an import any more."""


class WorkerPool:
    """Code servers by pipeline file, and the jobs that run. Leaving the context ends every process.

    `abandons` is asked whenever something happens during an import: whether to end it.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.abandons: Callable[[], bool] = lambda: False
        self._settings = settings
        self._running: dict[int, RunningJob] = {}
        self._waiting: dict[str, list[RunningJob]] = {}
        self._events: list[JobEvent] = []
        self._readiness = Readiness()
        self._servers = Servers(settings, self._readiness, self._hear, self._print_import)
        self._closed = False

    @property
    def settings(self) -> WorkerSettings:
        return self._settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def model(self, file: str, *, fresh: bool = False) -> PipelineModel | ImportFailure:
        """What a pipeline file gives: from its cached analysis while that stands, else from a code server.

        `fresh` asks for one made by the very code server that will run the stages.
        """
        return self.models([file], fresh=fresh)[0]

    def models(self, files: Iterable[str], *, fresh: bool = False) -> list[PipelineModel | ImportFailure]:
        """The same for several pipeline files, imported at the same time; answers in the order given."""
        found: dict[str, PipelineModel | ImportFailure | None] = {
            file: self._servers.standing(file, fresh) for file in files
        }
        left = [file for file, model in found.items() if model is None]
        importing: list[ServerConnection] = []
        while left or importing:
            while left and len(importing) < usable_cores():
                importing.append(self._servers.connect(left.pop(0)))
            found.update({one.file: one.answer for one in importing})
            importing = [one for one in importing if one.answer is None]
            if importing:
                self._turn(None)
                if self.abandons():
                    self._servers.abandon(importing)
                    raise ImportAbandoned
        self._close_retired()
        return [model for model in found.values() if model is not None]

    def start(self, job: Job) -> None:
        """Begin a job; its events come from `events`. The code server is started when there is none."""
        running = RunningJob(job, LogFile(log_folder(self._settings.logs, job.stage)))
        self._running[job.id] = running
        self._readiness.watch(running.capture.descriptor, lambda: self._read_output(running))
        self._readiness.watch(running.result, lambda: self._read_result(running))
        connection = self._servers.connect(job.file)
        if connection.answer is None:
            self._waiting.setdefault(job.file, []).append(running)
        else:
            running.begin(connection)

    def events(self, timeout: float | None = None) -> list[JobEvent]:
        """What has happened; waits up to `timeout` seconds (None: as long as jobs run) for something to happen."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._events and self._running:
            left = None if end is None else end - time.monotonic()
            if (left is not None and left < 0) or self._turn(left):
                break
        if not self._events:
            self._turn(0)
        events, self._events = self._events, []
        return events

    def wait(self, timeout: float | None = None) -> None:
        """Until `wake` is called, or a descriptor that is listened to asks for it."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._turn(None if end is None else max(0.0, end - time.monotonic())):
            if end is not None and time.monotonic() >= end:
                return

    def listen(self, descriptor: int, call: Callable[[], bool]) -> None:
        """Call this whenever there is something to read; whether what waits is to look up."""
        self._readiness.watch(descriptor, call)

    def ignore(self, descriptor: int) -> None:
        self._readiness.unwatch(descriptor)

    def wake(self) -> None:
        """Make a waiting `events` return now; may be called from a signal handler."""
        self._readiness.wake()

    def warm_up(self, files: Iterable[str] = ()) -> bool:
        """Make the next code servers ready while there is time, those of `files` too; whether all is done."""
        return self._servers.warm_up(files)

    def cancel(self, job: Job, kind: FailureKind = "cancelled", message: str = "it was cancelled") -> None:
        """End a job: SIGTERM to its process group, SIGKILL after the grace period. Its event is a `JobFailed`."""
        running = self._running.get(job.id)
        if running is None:
            return
        running.end(kind, message, self._settings.grace)
        if running.connection is None:  # it still waits for the import: there is nothing to end
            self._conclude(running, None)

    def running(self) -> list[Job]:
        return [one.job for one in self._running.values()]

    def close(self) -> None:
        """End every process at once; jobs that were running give no more events. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for running in list(self._running.values()):
            self._forget(running)
            running.close()
        self._servers.close()
        self._readiness.close()

    def _turn(self, timeout: float | None) -> bool:
        """One round of the loop; whether `wake` was called."""
        now = time.monotonic()
        deadlines = [one.deadline for one in self._running.values() if one.deadline is not None]
        if deadlines:
            next_one = max(0.0, min(deadlines) - now)
            timeout = next_one if timeout is None else min(timeout, next_one)
        woken = self._readiness.turn(timeout)
        now = time.monotonic()
        for running in [one for one in self._running.values() if one.deadline is not None and one.deadline <= now]:
            running.pass_deadline(self._settings.grace)
        return woken

    def _close_retired(self) -> None:
        self._servers.close_retired({id(one.connection) for one in self._running.values()})

    def _hear(self, connection: ServerConnection, messages: list[Message]) -> None:
        for message in messages:
            if isinstance(message, Exited):
                self._conclude(self._running.get(message.job), message)
            elif isinstance(message, Started) and message.job in self._running:
                self._running[message.job].pid = message.pid
        if connection.answer is not None:
            self._release(connection)

    def _release(self, connection: ServerConnection) -> None:
        """The import is over: hand over the jobs that waited for it; or the server has ended, and its jobs with it."""
        if connection.ended:
            self._servers.read_prints(connection)
        waiting = self._waiting.pop(connection.file, []) if self._servers.is_current(connection) else ()
        for running in waiting:
            if self._running.get(running.job.id) is not running:
                continue  # it was cancelled
            if isinstance(connection.answer, ImportFailure):
                running.fail_import(connection.answer.message)
                self._conclude(running, None)
            else:
                running.begin(connection)
        if connection.ended:
            for running in [one for one in self._running.values() if one.connection is connection]:
                signal_group(running.pid, signal.SIGKILL) if running.pid else None
                self._conclude(running, None)

    def _conclude(self, running: RunningJob | None, exited: Exited | None) -> None:
        if running is None:
            return
        self._print(running, running.drain())
        self._forget(running)
        self._events.append(running.finish(exited))
        self._close_retired()

    def _forget(self, running: RunningJob) -> None:
        del self._running[running.job.id]
        self._readiness.unwatch(running.capture.descriptor)
        self._readiness.unwatch(running.result)

    def _read_output(self, running: RunningJob) -> None:
        self._print(running, running.capture.read())
        if running.capture.ended:
            self._readiness.unwatch(running.capture.descriptor)

    def _read_result(self, running: RunningJob) -> None:
        running.read_result()
        if running.result_ended:
            self._readiness.unwatch(running.result)

    def _print_import(self, connection: ServerConnection, lines: list[PrintedLine]) -> None:
        self._events += [FilePrinted(connection.file, line.text) for line in lines if not line.passing]

    def _print(self, running: RunningJob, lines: list[PrintedLine]) -> None:
        self._events += [JobPrinted(running.job.stage, line.text, running.job, line.passing) for line in lines]
