"""The process of one stage: load the inputs, call the function, save and store the outputs, answer, end.

Only the answer leaves this process; refs and records are written by the command.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from os import getpid  # bound now, like those of `sys`: a stage may replace them
from pathlib import Path
from sys import exception, gettrace, settrace
from time import perf_counter
from typing import Any, NoReturn

from msgspec import Struct

from pivot.errors import PivotError
from pivot.pipeline.spec import StageSpec
from pivot.store.odb.narrow import narrowed
from pivot.store.odb.objects import object_id
from pivot.store.odb.stat_cache import StatCache
from pivot.store.store import Store
from pivot.store.worktree.ingest import read_small
from pivot.worker.access_tracer import AccessTracer
from pivot.worker.exit_handlers import end_as_script
from pivot.worker.interpreter_state import NamespaceSnapshot, Patches
from pivot.worker.post_mortem import open_debugger
from pivot.worker.process_groups import programs_left
from pivot.worker.process_setup import flush_output
from pivot.worker.protocol import (
    LOST_ANSWER,
    FailureKind,
    Message,
    Put,
    RunStage,
    Setup,
    StageDone,
    StageFailed,
    encode,
)
from pivot.worker.user_traceback import (
    describe_inputs,
    format_exception,
    has_user_frames,
    name_exception,
    printable,
    shorten,
)


class StageTask(Struct, frozen=True):
    """A stage to run: what was asked, the live stage with its specification, who watches it, where the answer goes."""

    setup: Setup
    order: RunStage
    live: Any
    spec: StageSpec
    observer: AccessTracer
    result: int


class ProcessBaseline:
    """What all stages of a process find alike, looked at once: each object that a fork makes copies pages.

    `user` is what the pipeline file patched, `ours` the interpreter as Pivot needs it.
    """

    def __init__(self, root: str, specs: Iterable[StageSpec], user: Patches, ours: NamespaceSnapshot) -> None:
        self.folders = {spec.root: Path(root, spec.root) for spec in specs}
        self.user = user
        self.ours = ours
        self.recursion = sys.getrecursionlimit()
        self.umask = _umask()
        self.collections = _collections()


class _StageAborted(Exception):
    """The stage cannot go on; holds the answer."""

    def __init__(self, answer: StageFailed) -> None:
        super().__init__(answer.message)
        self.answer = answer


class ResultPipe:
    """The way to the command; notices when user code has closed or replaced the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._identity = _identity(descriptor)

    def send(self, message: Message) -> bool:
        """Whether the message has gone out."""
        frame = memoryview(encode(message))
        try:
            if _identity(self._descriptor) != self._identity:
                return False
            while frame:
                frame = frame[os.write(self._descriptor, frame) :]
        except OSError:
            return False
        return True


class StageRun:
    """One run of one stage in this process."""

    def __init__(self, task: StageTask, ground: ProcessBaseline) -> None:
        self._task = task
        self._ground = ground
        self._user = ground.user
        self._ours = ground.ours
        self._root = task.setup.root
        self._folder = ground.folders[task.spec.root]
        self._pid = os.getpid()
        self._observer = task.observer
        self._inputs: dict[str, Any] = {}
        self._warnings: list[str] = []
        self._carried: dict[str, bytes] = {}
        self._room = task.setup.carried
        self._started = perf_counter()

    def perform(self) -> Message:
        """The answer."""
        live, spec, folder = self._task.live, self._task.spec, self._folder
        os.chdir(folder)
        try:
            declared = (*spec.dep_paths(), *spec.external_paths(), *spec.out_paths())
            self._observer.start(declared, self._report())
            self._user.apply()
            self._inputs = self._attempt("declared", live.load_inputs, folder)
            self._attempt("declared", live.prepare_outputs, folder)
            value = self._attempt("raised", live.function, **self._inputs)
            self._ours.restore()
            self._take_back()
            self._user.apply()
            self._attempt("declared", live.save_outputs, value, folder)
            self._ours.restore()
            self._end()
            self._observer.stop()
            return self._put()
        except _StageAborted as stopped:
            return stopped.answer

    def _report(self) -> str:
        """A file that is there for no other run: process numbers come again."""
        folder = self._task.setup.reports
        return f"{folder}/{self._task.order.job}-{self._pid}" if folder else ""

    def _attempt(self, kind: FailureKind, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call what runs user code; no builtin may be counted on afterwards, until `restore`."""
        tracer = gettrace()
        error = None
        try:
            value = call(*args, **kwargs)
        except:  # noqa: E722 (`BaseException` is a builtin, too)
            error = exception()
        settrace(tracer)
        if getpid() != self._pid:
            self._leave_fork(error)
        if error is not None:
            self._ours.restore()
            self._observer.stop()
            raise self._explain(kind, error) from None
        return value

    def _leave_fork(self, error: BaseException | None) -> NoReturn:
        """A child that the user's code forked came back here: it ends as any child does, and answers nothing."""
        self._ours.restore()
        if error is not None and not isinstance(error, SystemExit):
            sys.stderr.write(format_exception(error, self._root))
        flush_output()
        code = error.code if isinstance(error, SystemExit) else error and 1
        os._exit(code if isinstance(code, int) else bool(code))

    def _explain(self, kind: FailureKind, error: BaseException) -> _StageAborted:
        if isinstance(error, SystemExit):
            return self._stop("exit", f"it called sys.exit({error.code!r}) before it returned", error)
        if kind == "declared" and isinstance(error, PivotError):
            return self._stop(kind, str(error), self._told(error.__cause__))
        if kind == "raised" and self._task.order.terminal:
            open_debugger(error, self._task.order.terminal)
        return self._stop("raised", name_exception(error), error)

    def _told(self, cause: BaseException | None) -> BaseException | None:
        """What caused an error of ours, if frames of the project lead to it: those of a library explain nothing."""
        return cause if cause is not None and has_user_frames(cause, self._root) else None

    def _stop(self, kind: FailureKind, message: str, error: BaseException | None = None) -> _StageAborted:
        return _StageAborted(
            StageFailed(
                kind=kind,
                message=printable(message),
                traceback=format_exception(error, self._root) if error else "",
                inputs=describe_inputs(self._inputs),
                seconds=perf_counter() - self._started,
            )
        )

    def _take_back(self) -> None:
        """The function has returned: undo what it changed in this process and the outputs must not suffer from."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.setrecursionlimit(max(self._ground.recursion, sys.getrecursionlimit()))
        os.umask(self._ground.umask)
        with contextlib.suppress(OSError):
            os.chdir(self._folder)

    def _end(self) -> None:
        """Nothing of the user's is left to do but what a script does at its end; what goes on after that is ended."""
        ending = self._attempt("raised", end_as_script, self._task.setup.grace)
        self._ours.restore()
        if ending.threads:
            names = ", ".join(ending.threads[:5])
            raise self._stop("threads", f"threads were still at work when it had returned: {names}")
        # Closes files that only a reference cycle kept open. What the fork found is frozen, what came later is young
        # unless there was a collection; a whole one also empties the free lists, which copies a hundred pages.
        gc.collect(1 if _collections() == self._ground.collections else 2)
        if ending.ended:
            self._warn("processes that it had started held up its end and were stopped", ending.ended)
        if left := programs_left():
            self._warn("it left processes running, which were stopped", left)

    def _warn(self, what: str, programs: list[str]) -> None:
        self._warnings.append(f"{what}: {shorten('; '.join(programs), 200)}")

    def _put(self) -> StageDone:
        stats = StatCache(Path(), {}, {})
        outs = self._put_outputs(stats)
        variables = self._observer.variables_read()
        return StageDone(
            outs=outs,
            seconds=perf_counter() - self._started,
            modules=[printable(path) for path in self._observer.modules()],
            undeclared=[printable(path) for path in self._observer.undeclared()],
            environment=dict(variables),
            stats=stats.delta(),
            warnings=self._warnings,
            carried=self._carried,
        )

    def _put_outputs(self, stats: StatCache) -> dict[str, Put]:
        outs = {}
        for out in self._task.spec.outs:
            for path in out.paths:
                place = f"{self._root}/{path}"
                if os.path.lexists(place):
                    outs[path] = self._carry(place, stats) or self._put_one(place, stats)
                elif "optional" not in out.flags:
                    raise self._stop("declared", f"{out.where}: the stage did not write {path}")
        return outs

    def _carry(self, place: str, stats: StatCache) -> Put | None:
        """Take a small file along with the answer, while there is room; each function called costs pages in a fork."""
        if (small := read_small(place, self._room)) is None or narrowed(small.stat.st_mode):
            return None
        oid = object_id(b"blob", small.data)
        stats.remember(place, small.stat, oid, small.read_at)
        self._carried[oid] = small.data
        self._room -= len(small.data)
        return Put(oid, small.mode, len(small.data))

    def _put_one(self, place: str, stats: StatCache) -> Put:
        try:
            found = Store.open(Path(self._task.setup.store), link=self._task.setup.link).put(Path(place), stats)
        except (PivotError, OSError) as error:
            name = place.rpartition("/")[2]
            raise self._stop("store", f"{name} could not be put into the store: {error}") from None
        return Put(found.id, found.mode, found.size)


def run_stage(task: StageTask, ground: ProcessBaseline) -> NoReturn:
    """Run a stage in this process, which is its own already, and end the process."""
    answer = ResultPipe(task.result)
    if task.order.memory:
        resource.setrlimit(resource.RLIMIT_AS, (task.order.memory, task.order.memory))
    sent = answer.send(StageRun(task, ground).perform())
    flush_output()
    os._exit(0 if sent else LOST_ANSWER)


def answer_moved(order: RunStage, result: int) -> NoReturn:
    """The import gave no such stage, or one with other code than the command decided on: say so, and end."""
    text = f"the code of {order.stage} changed after the plan was made"
    os.write(result, encode(StageFailed("moved", text, "", [], 0.0)))
    os._exit(0)


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def _collections() -> int:
    """How often objects have grown old: collections of the middle and of the old generation."""
    return sum(one["collections"] for one in gc.get_stats()[1:])


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
