"""A stage in a process that imports the pipeline file itself: where a fork of the code server would not be safe."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TypeVar

from pivot.worker.protocol import FrameReader, Message, RunStage, Setup, encode

Kind = TypeVar("Kind", bound=Message)
_MODULE = "pivot.worker.spawn_main"


def python_command(module: str, *arguments: str) -> list[str]:
    """This Python, with this import path but without the current folder on it."""
    return [sys.executable, "-P", "-m", module, *arguments]


def spawn_stage(setup: Setup, order: RunStage, result: int, output: int) -> int:
    """Start the process; its number. The descriptors stay open here."""
    command = python_command(_MODULE, str(os.getpid()), str(result), encode(setup).hex(), encode(order).hex())
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(result,),
        start_new_session=True,
    )
    process.returncode = 0  # the supervisor reaps it, not this object
    return process.pid


def read_argument(text: str, kind: type[Kind]) -> Kind:
    """The inverse of `encode(message).hex()`."""
    (message,) = FrameReader(kind, 1 << 20).feed(bytes.fromhex(text))
    assert isinstance(message, kind)
    return message
