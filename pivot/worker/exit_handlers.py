"""The end of a stage's process, in Python's own order: pools are closed, threads joined, exit handlers called.

A fork inherits the handlers that the import registered. Some belong to the process that imported: a folder that it
made, a connection that it opened. Others are the library's way to end what the stage starts (`multiprocessing`,
PyTables).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from msgspec import Struct

from pivot.code.importing.project_files import ProjectFiles
from pivot.worker.process_groups import children_of, has_children, programs_left
from pivot.worker.protocol import STUCK_AT_END

_REST = 0.5
"""Seconds that pools and threads get when their children have been killed."""
_ATTEMPTS = 5
_HANDLERS = 6
"""How many times the grace the children of exit handlers get: one that sends results to a server needs it."""
_STANDARD = (("logging", "shutdown"), ("multiprocessing.util", "_exit_function"))
"""Handlers of the standard library: they act on what the process has then, and may be called in any process."""


class ImportedHandlers:
    """What the import registers with `atexit`; made before the import, applied in a process forked after it."""

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._kept: list[FunctionType] = []
        self._register: Any = atexit.register
        self._unregister: Any = atexit.unregister
        self._noticing = self._make_noticing()
        atexit.register, atexit.unregister = self._noticing

    def stop_watching(self) -> None:
        """The import is over; what the project bound by `from atexit import register` is Python's own again."""
        watched = dict(zip(map(id, self._noticing), (self._register, self._unregister), strict=True))
        for namespace in [vars(atexit), *self._project_namespaces()]:
            for name in [name for name, value in namespace.items() if id(value) in watched]:
                namespace[name] = watched[id(namespace[name])]

    def _make_noticing(self) -> tuple[Any, Any]:
        @functools.wraps(self._register)
        def register(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Callable[..., Any]:
            self._notice(func, args, kwargs)
            self._register(func, *args, **kwargs)
            return func

        @functools.wraps(self._unregister)
        def unregister(func: Callable[..., Any], /) -> None:
            self._kept = [kept for kept in self._kept if kept is not func]
            self._unregister(func)

        return register, unregister

    def _project_namespaces(self) -> list[dict[str, Any]]:
        modules = [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
        files = [(getattr(module, "__file__", None), module) for module in modules]
        return [vars(module) for file, module in files if isinstance(file, str) and self._files.owns(file)]

    def renew(self) -> None:
        """In the forked process: drop the handlers of the parent, and register those that any process needs."""
        atexit._clear()
        _drop_finalizers()
        for module, name in _STANDARD:
            if handler := getattr(sys.modules.get(module), name, None):
                self._register(handler)
        for kept in self._kept:
            self._register(kept)

    def _notice(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # A function of a library that needs nothing but its module ends what the module holds when it is called. One
        # with arguments, a bound method or a closure ends what the importing process has acquired.
        alone = isinstance(func, FunctionType) and not (args or kwargs or func.__closure__)
        if alone and not self._files.owns(func.__code__.co_filename):
            self._kept.append(func)  # type: ignore[arg-type]


def _drop_finalizers() -> None:
    """Objects of the parent are the parent's to finalize; those that are made from now on are finalized at the end."""
    registry: dict[Any, Any] = getattr(weakref.finalize, "_registry", {})
    for entry in registry.values():
        entry.atexit = False
    weakref.finalize._registered_with_atexit = False  # type: ignore[attr-defined]
    if util := sys.modules.get("multiprocessing.util"):
        util._finalizer_registry.clear()
    if process := sys.modules.get("multiprocessing.process"):
        process._children = set()  # type: ignore[attr-defined]


class Ending(Struct, frozen=True):
    """Names of the threads that are still at work, and command lines of the children that were ended."""

    threads: list[str]
    ended: list[str]


def end_as_script(grace: float) -> Ending:
    """Do what Python does after the last line of a script.

    Pools and threads get `grace` seconds, children of exit handlers more: those may still have results to send. Then
    children are killed, and a wait for a thread is interrupted.
    """
    if threading.active_count() == 1 and not has_children():
        _close_pools()
        atexit._run_exitfuncs()
        return Ending([], [])
    watch = _Watch(grace)
    watch.start()
    with contextlib.suppress(_HeldUp):
        _close_pools()
    watch.stop_interrupting()
    threads = watch.busy or _join_threads(watch.deadline + _REST)
    if not threads:
        watch.deadline = time.monotonic() + _HANDLERS * grace
        atexit._run_exitfuncs()
    watch.finish()
    return Ending(threads, watch.ended)


class _HeldUp(BaseException):
    """The grace is over; raised in the main thread, wherever it waits."""


class _Watch(threading.Thread):
    """Counts the grace while the main thread closes pools and calls handlers."""

    def __init__(self, grace: float) -> None:
        super().__init__(daemon=True)
        self.ended: list[str] = []
        self.busy: list[str] = []
        self.deadline = time.monotonic() + grace
        self._interrupts = True
        self._done = threading.Event()
        signal.signal(signal.SIGALRM, _raise_held_up)

    def stop_interrupting(self) -> None:
        """In the main thread, which waits with a timeout from now on, or for handlers: these may take their time."""
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        self._interrupts = False

    def finish(self) -> None:
        self._done.set()

    def run(self) -> None:
        interruptions = 0
        while not self._done.wait(max(0.05, self.deadline - time.monotonic())):
            late = time.monotonic() - self.deadline
            if late < 0:
                continue
            self._end_children()
            if self._interrupts and late > _REST * (interruptions + 1):
                interruptions += 1
                self.busy = [thread.name for thread in _holding_threads()]  # Python takes one for ended whose join ends
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
            if interruptions == _ATTEMPTS:  # it waits in compiled code, where no signal is heard
                os._exit(STUCK_AT_END)

    def _end_children(self) -> None:
        """Kill children; those of theirs that become ours by that are found by the next call."""
        self.ended += [line for line in programs_left() if line not in self.ended]
        for pid in children_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _raise_held_up(_number: int, _frame: object) -> None:
    raise _HeldUp


def _close_pools() -> None:
    """Tell pools that were left open to end (`threading._register_atexit`), the latest first."""
    closers: list[Callable[[], object]] = getattr(threading, "_threading_atexits", [])
    while closers:
        try:
            closers.pop()()
        except Exception:
            logging.getLogger(__name__).debug("a pool could not be closed", exc_info=True)


def _join_threads(deadline: float) -> list[str]:
    """Names of the threads that hold up the interpreter's end and are still at work at the deadline."""
    for thread in _holding_threads():
        thread.join(max(_REST, deadline - time.monotonic()))
    return [thread.name for thread in _holding_threads()]


def _holding_threads() -> list[threading.Thread]:
    """Those that run and are no daemons, the main thread apart."""
    main = threading.main_thread()
    return [thread for thread in threading.enumerate() if thread is not main and not thread.daemon]
