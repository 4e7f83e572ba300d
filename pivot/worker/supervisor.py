"""Where the processes of stages are born: the loop of a code server after the import."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
from collections import deque
from typing import Any, Literal, NoReturn

from msgspec import Struct

from pivot.pipeline.spec import StageSpec
from pivot.worker.access_tracer import AccessTracer
from pivot.worker.child_reports import make_folder, remove_folder
from pivot.worker.exit_handlers import ImportedHandlers
from pivot.worker.interpreter_state import NamespaceSnapshot, Patches
from pivot.worker.interrupts import ENDINGS
from pivot.worker.process_groups import children_of, end_session, reap_next, signal_group, stop_orphans
from pivot.worker.process_setup import (
    Seeds,
    die_with_parent,
    flush_output,
    keep_orphans,
    move_high,
    redirect_output,
    trim_memory,
)
from pivot.worker.protocol import (
    Exited,
    FrameReader,
    Kill,
    Message,
    RunStage,
    Setup,
    StageFailed,
    Started,
    ToServer,
    encode,
)
from pivot.worker.spawn import spawn_stage
from pivot.worker.stage_runner import ProcessBaseline, StageTask, answer_moved, run_stage
from pivot.worker.user_traceback import format_exception

_READ = 1 << 16
_ORDER_LIMIT = 1 << 20
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class LoadedStage(Struct, frozen=True):
    """A live stage with its specification and the digest of its code."""

    live: Any
    spec: StageSpec
    code: str


class ServerState(Struct, frozen=True):
    """What the import left: stages by name, how to start them, and the interpreter as the user and as we need it."""

    setup: Setup
    stages: dict[str, LoadedStage]
    start: Literal["fork", "spawn"]
    user: Patches
    ours: NamespaceSnapshot
    observer: AccessTracer


class Supervisor:
    """Starts, signals and reaps the processes of stages for one command."""

    def __init__(self, link: socket.socket, ready: ServerState, seeds: Seeds, handlers: ImportedHandlers) -> None:
        self._link = link
        self._ready = ready
        self._seeds = seeds
        self._handlers = handlers
        self._reader = FrameReader(ToServer, _ORDER_LIMIT)
        self._jobs: dict[int, int] = {}
        self._has_folder = not ready.setup.reports
        self._descriptors: deque[int] = deque()
        self._helpers = set(children_of(os.getpid()))
        self._wake, self._wakeup = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wakeup, False)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        # A signal to this process alone ends all that it has started, as the end of the command does.
        self._endings = {kind: signal.signal(kind, lambda _number, _frame: self._end()) for kind in ENDINGS}
        ready.observer.prepare()
        gc.unfreeze()  # what the analysis was made of is garbage by now, in cycles
        gc.collect()
        trim_memory()
        gc.freeze()  # so that a collection in a forked stage does not touch, and thereby copy, these pages
        self._collects = gc.isenabled()
        gc.disable()  # nothing here makes cycles, and a stage can tell whether there was a collection in it
        specs = [stage.spec for stage in ready.stages.values()]
        self._ground = ProcessBaseline(ready.setup.root, specs, ready.user, ready.ours)

    def serve(self) -> NoReturn:
        """Take orders until the command closes its end; then nothing that was started here is left."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._link, select.POLLIN)
        link = self._link.fileno()
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, _READ)
                self._reap()
            if link in ready:
                self._take_orders()

    def _take_orders(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._link, _READ, 64, _CLOSE_ON_EXEC)
        except ConnectionError:
            data, descriptors = b"", []
        if not data:
            self._end()
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors += descriptors
        for order in self._reader.feed(data):
            if isinstance(order, RunStage):
                self._run(order, self._descriptors.popleft(), self._descriptors.popleft())
            elif isinstance(order, Kill):
                self._kill(order)

    def _run(self, order: RunStage, result: int, output: int) -> None:
        if not self._has_folder:
            self._has_folder = True
            make_folder(self._ready.setup.reports)
        start = self._fork if self._ready.start == "fork" else self._spawn
        try:
            pid = start(order, result, output)
        except OSError as error:
            failed = StageFailed("exit", f"its process could not be started: {error}", "", [], 0.0)
            os.write(result, encode(failed))
            self._send(Exited(order.job, 0, 0.0, 0))
            return
        finally:
            os.close(result)
            os.close(output)
        self._jobs[pid] = order.job
        self._send(Started(order.job, pid))

    def _spawn(self, order: RunStage, result: int, output: int) -> int:
        return spawn_stage(self._ready.setup, order, result, output)

    def _fork(self, order: RunStage, result: int, output: int) -> int:
        flush_output()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become_stage(order, result, output, parent)
        except BaseException as error:
            text = format_exception(error, self._ready.setup.root)
            os.write(result, encode(StageFailed("protocol", "its process could not be set up", text, [], 0.0)))
        finally:
            os._exit(1)

    def _become_stage(self, order: RunStage, result: int, output: int, parent: int) -> NoReturn:
        os.setsid()
        die_with_parent(parent)
        keep_orphans()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        for kind, before in self._endings.items():
            signal.signal(kind, before)
        for descriptor in (self._link.detach(), self._wake, self._wakeup, *self._descriptors):
            os.close(descriptor)
        redirect_output(output)
        self._handlers.renew()
        self._seeds.renew()
        if self._collects:
            gc.enable()
        self._run_stage(order, move_high(result))

    def _run_stage(self, order: RunStage, result: int) -> NoReturn:
        ready = self._ready
        stage = ready.stages.get(order.stage)
        if stage is None or order.code not in ("", stage.code):
            answer_moved(order, result)
        run_stage(StageTask(ready.setup, order, stage.live, stage.spec, ready.observer, result), self._ground)

    def _kill(self, order: Kill) -> None:
        for pid, job in self._jobs.items():
            if job == order.job:
                signal_group(pid, order.signal)

    def _reap(self) -> None:
        while (ended := reap_next(set(self._jobs))) is not None:
            job = self._jobs.pop(ended.pid, None)
            stop_orphans(self._helpers.union(self._jobs))
            if job is not None:
                self._send(Exited(job, ended.status, ended.cpu, ended.memory))

    def _send(self, message: Message) -> None:
        try:
            self._link.sendall(encode(message))
        except OSError:
            self._end()

    def _end(self) -> NoReturn:
        """The command has gone: leave nothing behind, then go."""
        for pid in self._jobs:
            signal_group(pid, signal.SIGKILL)
        remove_folder(self._ready.setup.reports)
        end_session()
