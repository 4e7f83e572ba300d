"""The workers: code servers and the stages they run, behind one event loop that the command turns.

It knows processes and decides nothing: which stage runs when, and what a failure means for others, is the caller's.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pivot.code.cache import check, load
from pivot.code.model import Failure, PipelineModel
from pivot.pipeline.given import Given
from pivot.run.capture import Line
from pivot.run.connection import Connection
from pivot.run.cores import usable_cores
from pivot.run.groups import signal_group
from pivot.run.jobs import FilePrinted, Job, JobEvent, JobPrinted
from pivot.run.logs import LogFile, log_folder
from pivot.run.protocol import Exited, FailureKind, Setup, Started
from pivot.run.running import Running


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Where things stand and how stages start; `grace` is in seconds: between SIGTERM and SIGKILL, and for
    threads that a stage leaves at work.

    `logs` is the folder of the stages' logs. `cache` is where code servers keep their analysis ("": they do not).
    `given` are parameters that the user gave for this command; `cache` must be of their own. `carried` is up to how
    many bytes a stage's outputs come with its `JobDone`, for the caller to store.
    """

    root: Path
    store: Path
    logs: Path
    cache: str = ""
    link: str = "auto"
    start: Literal["auto", "fork", "spawn"] = "auto"
    grace: float = 5.0
    given: tuple[Given, ...] = ()
    carried: int = 0

    def setup(self, file: str) -> Setup:
        """What a process that imports a pipeline file is told."""
        return Setup(
            root=str(self.root),
            file=file,
            store=str(self.store),
            link=self.link,
            cache=self.cache,
            grace=self.grace,
            start=self.start,
            given=self.given,
            carried=self.carried,
        )


class Workers:
    """Code servers by pipeline file, and the jobs that run. Leaving the context ends every process."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._connections: dict[str, Connection] = {}
        self._retired: list[Connection] = []
        self._running: dict[int, Running] = {}
        self._waiting: dict[str, list[Running]] = {}
        self._events: list[JobEvent] = []
        self._selector = selectors.DefaultSelector()
        self._closed = False
        self._wake, self._wakeup = os.pipe()
        for descriptor in (self._wake, self._wakeup):
            os.set_blocking(descriptor, False)
        self._watch(self._wake, self._clear_wake)

    @property
    def settings(self) -> WorkerSettings:
        return self._settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def model(self, file: str, *, fresh: bool = False) -> PipelineModel | Failure:
        """What a pipeline file gives: from its cached analysis while that stands, else from a code server.

        `fresh` asks for one made by the very code server that will run the stages.
        """
        return self.models([file], fresh=fresh)[0]

    def models(self, files: Iterable[str], *, fresh: bool = False) -> list[PipelineModel | Failure]:
        """The same for several pipeline files, imported at the same time; answers in the order given."""
        found: dict[str, PipelineModel | Failure | None] = {file: self._standing(file, fresh) for file in files}
        left = [file for file, model in found.items() if model is None]
        importing: list[Connection] = []
        while left or importing:
            while left and len(importing) < usable_cores():
                importing.append(self._connect(left.pop(0)))
            found.update({one.file: one.answer for one in importing})
            importing = [one for one in importing if one.answer is None]
            if importing:
                self._turn(None)
        return [model for model in found.values() if model is not None]

    def _standing(self, file: str, fresh: bool) -> PipelineModel | None:
        """The model of an analysis that still holds; a code server whose import does not hold any more is retired."""
        place = (Path(self._settings.cache), self._settings.root, file)
        connection = self._connections.get(file)
        if connection is not None and connection.answer is not None:
            if isinstance(connection.answer, PipelineModel) and self._settings.cache and not check(*place):
                return connection.answer
            self._retire(file)
        return load(*place) if self._settings.cache and not fresh else None

    def start(self, job: Job) -> None:
        """Begin a job; its events come from `events`. The code server is started when there is none."""
        running = Running(job, LogFile(log_folder(self._settings.logs, job.stage)))
        self._running[job.id] = running
        self._watch(running.capture.descriptor, lambda: self._read_output(running))
        self._watch(running.result, lambda: self._read_result(running))
        connection = self._connect(job.file)
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

    def wake(self) -> None:
        """Make a waiting `events` return now; may be called from a signal handler."""
        with contextlib.suppress(BlockingIOError):  # full: it will wake
            os.write(self._wakeup, b"w")

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
        for connection in (*self._connections.values(), *self._retired):
            self._disconnect(connection)
        self._selector.close()
        for descriptor in (self._wake, self._wakeup):
            os.close(descriptor)

    def _turn(self, timeout: float | None) -> bool:
        """One round of the loop; whether `wake` was called."""
        now = time.monotonic()
        deadlines = [one.deadline for one in self._running.values() if one.deadline is not None]
        if deadlines:
            next_one = max(0.0, min(deadlines) - now)
            timeout = next_one if timeout is None else min(timeout, next_one)
        woken = False
        for key, _ in self._selector.select(timeout):
            if key.fileobj in self._selector.get_map():  # an earlier one of this round may have taken it away
                woken |= bool(key.data())
        now = time.monotonic()
        for running in [one for one in self._running.values() if one.deadline is not None and one.deadline <= now]:
            running.pass_deadline(self._settings.grace)
        return woken

    def _connect(self, file: str) -> Connection:
        """The code server of a file; a new one where there is none, or where the import had failed."""
        found = self._connections.get(file)
        if found and not (found.ended or isinstance(found.answer, Failure)):
            return found
        if found:
            self._retire(file)
        log = LogFile(log_folder(self._settings.logs, f"import {file}"))
        connection = self._connections[file] = Connection(self._settings.setup(file), log)
        self._watch(connection.fileno(), lambda: self._hear(connection))
        self._watch(connection.prints.descriptor, lambda: self._read_prints(connection))
        return connection

    def _retire(self, file: str) -> None:
        """A code server that gets no more jobs; it ends with the last that it has."""
        self._retired.append(self._connections.pop(file))
        self._close_retired()

    def _close_retired(self) -> None:
        busy = {id(one.connection) for one in self._running.values()}
        for connection in [one for one in self._retired if id(one) not in busy]:
            self._retired.remove(connection)
            self._disconnect(connection)

    def _disconnect(self, connection: Connection) -> None:
        self._unwatch(connection.fileno())
        self._unwatch(connection.prints.descriptor)
        connection.close()

    def _hear(self, connection: Connection) -> None:
        for message in connection.read():
            if isinstance(message, Exited):
                self._conclude(self._running.get(message.job), message)
            elif isinstance(message, Started) and message.job in self._running:
                self._running[message.job].pid = message.pid
        if connection.ended:
            self._unwatch(connection.fileno())
        if connection.answer is not None:
            self._release(connection)

    def _release(self, connection: Connection) -> None:
        """The import is over: hand over the jobs that waited for it; or the server has ended, and its jobs with it."""
        if connection.ended:
            self._read_prints(connection)
        for running in self._waiting.pop(connection.file, []):
            if self._running.get(running.job.id) is not running:
                continue  # it was cancelled
            if isinstance(connection.answer, Failure):
                running.fail_import(connection.answer.message)
                self._conclude(running, None)
            else:
                running.begin(connection)
        if connection.ended:
            for running in [one for one in self._running.values() if one.connection is connection]:
                signal_group(running.pid, signal.SIGKILL) if running.pid else None
                self._conclude(running, None)

    def _conclude(self, running: Running | None, exited: Exited | None) -> None:
        if running is None:
            return
        self._print(running, running.drain())
        self._forget(running)
        self._events.append(running.finish(exited))
        self._close_retired()

    def _forget(self, running: Running) -> None:
        del self._running[running.job.id]
        self._unwatch(running.capture.descriptor)
        self._unwatch(running.result)

    def _read_output(self, running: Running) -> None:
        self._print(running, running.capture.read())
        if running.capture.ended:
            self._unwatch(running.capture.descriptor)

    def _read_result(self, running: Running) -> None:
        running.read_result()
        if running.result_ended:
            self._unwatch(running.result)

    def _read_prints(self, connection: Connection) -> None:
        lines = connection.prints.read()
        self._events += [FilePrinted(connection.file, line.text) for line in lines if not line.passing]
        if connection.prints.ended:
            self._unwatch(connection.prints.descriptor)

    def _print(self, running: Running, lines: list[Line]) -> None:
        self._events += [JobPrinted(running.job.stage, line.text, running.job, line.passing) for line in lines]

    def _clear_wake(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 1024)
        return True

    def _watch(self, descriptor: int, call: Callable[[], object]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def _unwatch(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(descriptor)
