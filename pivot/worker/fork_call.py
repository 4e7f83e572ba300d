"""A call in a fork of this process, so that what it leaves in memory is gone when it has answered."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from typing import NoReturn

import msgspec

from pivot.worker.process_setup import die_with_parent, flush_output


def run_in_fork(call: Callable[[], dict[str, str] | None]) -> dict[str, str] | None:
    """What `call` returns in a fork of this process.

    Where the fork ends without an answer, this process ends as it did, so that who waits for it hears why.
    """
    # A child's exit is not told where the user's code has SIGCHLD ignored.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    reading, writing = os.pipe()
    flush_output()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        os.close(reading)
        _answer(call, writing, parent)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(pid, 0)
    if status:
        _end_alike(status)
    return msgspec.msgpack.decode(told, type=dict[str, str] | None)


def _answer(call: Callable[[], dict[str, str] | None], writing: int, parent: int) -> NoReturn:
    code = 1
    try:
        die_with_parent(parent)
        answer = msgspec.msgpack.encode(call())
        with os.fdopen(writing, "wb") as stream:
            stream.write(answer)
        code = 0
    except Exception:
        traceback.print_exc()  # a fault of ours: the command shows what this process has printed
    finally:
        flush_output()
        os._exit(code)


def _end_alike(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)
