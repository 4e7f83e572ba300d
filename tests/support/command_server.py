"""A process that has imported what commands import, and forks for each command: a start costs a fork, not the imports.

What it forks is a process of its own, with the arguments, folder, environment, umask and streams that its caller gives.
It runs `pivot.__main__`, and ends as Python ends. Started by `tests/support/commands.py`.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import tempfile
import time
from typing import Any

MOST = 1 << 18  # bytes of one call
_LATE = ("concurrent.futures", "pivot.git.odb.libgit_backend", "pivot.hooks.entry", "pivot.worker.interrupts")


def import_commands() -> None:
    """Import what commands import; what only some of them need is left to these."""
    import pivot.cli

    for name in (*_LATE, *(one.name for one in pkgutil.iter_modules(pivot.cli.__path__, "pivot.cli."))):
        importlib.import_module(name)


def serve(calls: socket.socket) -> dict[str, Any]:
    """Fork for each call until standard input ends, as it does with the test runner; returns in commands alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for a command
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the test runner, and for commands
    while True:
        ready, _, _ = select.select([0, calls.fileno()], [], [])
        if 0 in ready:
            os._exit(0)
        text, files, _, _ = socket.recv_fds(calls, MOST, 4)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            calls.close()
            _attend(files)
            asked: dict[str, Any] = json.loads(text)
            return asked
        for file in files:
            os.close(file)


def _attend(files: list[int]) -> None:
    """Start a command, and say its process id and then its status; returns in the command alone."""
    answer, *streams = files
    if child := os.fork():
        for stream in streams:
            os.close(stream)
        os.write(answer, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(answer, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(answer)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)


def become(asked: dict[str, Any]) -> None:
    """Take over what a caller gives to its command, and forget what was read from what this process was given."""
    os.chdir(asked["folder"])
    os.umask(asked["umask"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    tempfile.tempdir = None
    _open_streams()
    _look_for_configuration_again()
    sys.argv[:] = ["pivot", *asked["arguments"]]
    sys.orig_argv[:] = [sys.executable, "-P", "-m", "pivot", *asked["arguments"]]


def _open_streams() -> None:
    """Whether a stream can seek is asked when it is opened."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        stream = io.TextIOWrapper(
            open(number, "wb" if number else "rb", closefd=False),  # noqa: SIM115
            old.encoding,
            old.errors,
            line_buffering=old.line_buffering,
            write_through=old.write_through,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _look_for_configuration_again() -> None:
    """libgit2 has taken the folders of Git's configuration from the environment when it was imported."""
    import pygit2

    for level in range(1, 5):
        pygit2.option(pygit2.enums.Option.SET_SEARCH_PATH, level, None)


if __name__ == "__main__":
    import_commands()
    gc.collect()
    gc.freeze()  # what every command shares stays shared: nobody looks through it for garbage
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
    runpy.run_module("pivot", run_name="__main__", alter_sys=True)
