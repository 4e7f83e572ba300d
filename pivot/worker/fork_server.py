"""The code server: a process that imports one pipeline file and then starts a process for each stage that is to run.

Run as `python -P -m pivot.worker.fork_server DESCRIPTOR [SETUP]`, with a Unix socket to the command; it ends when
that does. All that is needed later is imported before the user's code, which may put modules of any name in front of
ours.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from pivot.code.analysis.analyse import examine
from pivot.code.analysis.cache import save
from pivot.code.importing.open_pipeline import Imported, open_pipeline
from pivot.code.importing.project_files import ProjectFiles
from pivot.errors import PivotError
from pivot.worker.access_tracer import AccessTracer
from pivot.worker.exit_handlers import ImportedHandlers
from pivot.worker.fork_call import run_in_fork
from pivot.worker.interpreter_state import SERVER_MODULES, STAGE_MODULES, NamespaceSnapshot
from pivot.worker.interrupts import let_through
from pivot.worker.prewarm import Baseline, is_shadowed, warm_up
from pivot.worker.process_groups import end_session
from pivot.worker.process_setup import Seeds, flush_output, keep_orphans, move_high
from pivot.worker.protocol import Analysed, Begin, FrameReader, ImportFailed, Message, Preload, Setup, encode
from pivot.worker.spawn import python_command, read_argument
from pivot.worker.start_method import choose_start_method
from pivot.worker.supervisor import LoadedStage, ServerState, Supervisor
from pivot.worker.user_traceback import format_exception, printable

Found = TypeVar("Found")


def main(descriptor: int, known: Setup | None = None) -> None:
    """Serve the command at the other end of `descriptor` until it closes it; `known` is what it has said already."""
    let_through()
    keep_orphans()  # a daemon that the import starts is to end with this process
    link = socket.socket(fileno=move_high(descriptor))
    orders = _read_orders(link)
    setup = known or next(orders)
    assert isinstance(setup, Setup)
    files, bare = ProjectFiles(Path(setup.root), setup.outside), Baseline()
    observer, seeds, handlers = AccessTracer(files), Seeds(), ImportedHandlers(files)
    ours, for_stages = NamespaceSnapshot(SERVER_MODULES), NamespaceSnapshot(STAGE_MODULES)
    _watch_command(link)
    if setup.held:
        _warm_up(link, setup, orders)
    opened = import_pipeline(setup, ours)
    if isinstance(opened, ImportFailed):
        _leave(link, opened)
    user = ours.patches()
    ours.restore()
    seeds.stop_watching()
    handlers.stop_watching()
    start, why = choose_start_method(setup.start)
    imported, live = opened

    def tell() -> dict[str, str] | None:
        user.apply()
        analysis = _guarded(setup, ours, lambda: examine(imported, live))
        ours.restore()
        if isinstance(analysis, ImportFailed):
            _send(link, analysis)
            return None
        if setup.cache:
            save(Path(setup.cache), Path(setup.root), setup.file, analysis)
        _send(link, Analysed(analysis.model, start, why, bare.warmth(files)))
        return {one.spec.name: one.code for one in analysis.model.stages}

    # Of what an analysis leaves in memory, each stage that is forked would pay for every page.
    codes = run_in_fork(tell) if start == "fork" else tell()
    _unwatch_command(link)
    if codes is None:
        _leave(link)
    stages = {
        name: LoadedStage(live[name], live[name].to_spec(imported.root, imported.file, name), codes[name])
        for name in codes
    }
    Supervisor(link, ServerState(setup, stages, start, user, for_stages, observer), seeds, handlers).serve()


def import_pipeline(setup: Setup, ours: NamespaceSnapshot) -> tuple[Imported, dict[str, Any]] | ImportFailed:
    """The import of the pipeline file and its live stages."""
    sys.argv[:] = [setup.file]
    return _guarded(setup, ours, lambda: _open(setup))


def _open(setup: Setup) -> tuple[Imported, dict[str, Any]]:
    os.chdir(Path(setup.root, setup.file).parent)
    cache = Path(setup.cache) if setup.cache else None
    return open_pipeline(Path(setup.root), setup.file, setup.given, cache, setup.outside)


def _guarded(setup: Setup, ours: NamespaceSnapshot, call: Callable[[], Found]) -> Found | ImportFailed:
    """What `call` returns, which runs the user's code; a process that the code has forked ends here."""
    pid = os.getpid()
    try:
        found = call()
    except BaseException as error:
        _leave_if_forked(pid)
        ours.restore()
        text = str(error) if isinstance(error, PivotError) else format_exception(error, setup.root)
        return ImportFailed(printable(text))
    _leave_if_forked(pid)
    return found


def prepare_output() -> None:
    """Prints of user code reach the command line by line, whatever they contain and whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]


def _read_orders(link: socket.socket) -> Iterator[Setup | Begin]:
    reader = FrameReader(Setup | Begin, 1 << 20)
    while data := link.recv(1 << 16):
        yield from reader.feed(data)
    sys.exit(0)


def _warm_up(link: socket.socket, setup: Setup, orders: Iterator[Setup | Begin]) -> None:
    """Import what may be early, and wait; where it was too early, begin again as a process without."""
    witness = warm_up(setup.warm.modules)
    next(orders)
    if is_shadowed(witness, setup):
        _unwatch_command(link)
        link.set_inheritable(True)
        cold = msgspec.structs.replace(setup, warm=Preload(), held=False)
        command = python_command("pivot.worker.fork_server", str(link.fileno()), encode(cold).hex())
        os.execv(command[0], command)


def _send(link: socket.socket, message: Message) -> None:
    try:
        link.sendall(encode(message))
    except BrokenPipeError:
        end_session()
    except OSError:
        sys.stderr.write("the import closed file descriptors that are not its own\n")
        flush_output()
        os._exit(1)


def _leave(link: socket.socket, message: Message | None = None) -> NoReturn:
    """There is nothing to run: end, with all that the import has started."""
    if message is not None:
        _send(link, message)
    flush_output()
    end_session()


def _leave_if_forked(pid: int) -> None:
    if os.getpid() != pid:
        flush_output()
        os._exit(0)


def _watch_command(link: socket.socket) -> None:
    """While the user's code is being imported, notice the end of the command all the same."""

    def look(_number: int, _frame: object) -> None:
        try:
            if link.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        end_session()

    signal.signal(signal.SIGIO, look)
    fcntl.fcntl(link, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(link, fcntl.F_SETFL, fcntl.fcntl(link, fcntl.F_GETFL) | os.O_ASYNC)
    look(0, None)


def _unwatch_command(link: socket.socket) -> None:
    fcntl.fcntl(link, fcntl.F_SETFL, fcntl.fcntl(link, fcntl.F_GETFL) & ~os.O_ASYNC)
    signal.signal(signal.SIGIO, signal.SIG_IGN)


if __name__ == "__main__":
    prepare_output()
    main(int(sys.argv[1]), *(read_argument(text, Setup) for text in sys.argv[2:]))
