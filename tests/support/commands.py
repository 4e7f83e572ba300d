"""Commands, each in a process of its own that `tests/support/command_server.py` forks; see there what that saves.

That is for `make test`, which sets `PIVOT_TEST_FORK`; the whole suite starts commands as a user does. So does whoever
gives an environment that means something to an interpreter that starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SERVER = Path(__file__).with_name("command_server.py")
FORKING = bool(os.environ.get("PIVOT_TEST_FORK"))  # asked here: a test's environment is sealed
# Read by the interpreter, the C library or the loader when a process starts.
_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "DYLD_", "MALLOC", "GLIBC", "OPENSSL", "SSL_")


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether a forked command is the same as one that is started."""
    return _server().is_like(environment)


def run_forked(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], timeout: float
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command; the code is negative for a signal."""
    return _server().run(arguments, folder, environment, timeout)


class _Server:
    def __init__(self) -> None:
        self.calls, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.calls.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.environment = dict(os.environ)
        self.owner = os.geteuid()
        command = [sys.executable, "-P", str(SERVER), str(theirs.fileno())]
        # It ends when the writing end of its standard input does: with this process, whatever ends that.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd="/"
        )
        theirs.close()

    def is_like(self, environment: Mapping[str, str]) -> bool:
        return self.owner == os.geteuid() and _at_start(environment) == _at_start(self.environment)

    def run(
        self, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> tuple[int, str, str]:
        with contextlib.ExitStack() as stack:
            answer, given_answer = socket.socketpair()
            stack.enter_context(answer)
            ends = [os.pipe() for _ in ("out", "err")]
            for end, _ in ends:
                stack.callback(os.close, end)
            given = [given_answer.detach(), os.open(os.devnull, os.O_RDONLY), *(theirs for _, theirs in ends)]
            try:
                socket.send_fds(self.calls, [_call(arguments, folder, environment)], given)
            finally:
                for file in given:
                    os.close(file)
            told, *said = _listen([answer.fileno(), *(end for end, _ in ends)], timeout, arguments)
        return int(told.split()[1]), _text(said[0]), _text(said[1])


def _call(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> bytes:
    umask = os.umask(0)
    os.umask(umask)
    asked = {"arguments": arguments, "folder": str(folder), "environment": dict(environment), "umask": umask}
    return json.dumps(asked).encode()


def _listen(files: list[int], timeout: float, arguments: tuple[str, ...]) -> list[bytes]:
    """All that is written into `files`, the first of which begins with the process id of the command."""
    said = [b""] * len(files)
    end = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for number, file in enumerate(files):
            selector.register(file, selectors.EVENT_READ, number)
        while selector.get_map():
            if time.monotonic() > end and said[0]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(said[0].split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired(["pivot", *arguments], timeout, said[1], said[2])
            for key, _ in selector.select(max(end - time.monotonic(), 0.1)):
                data = os.read(key.fd, 1 << 16)
                said[key.data] += data
                if not data:
                    selector.unregister(key.fd)
    return said


def _text(said: bytes) -> str:
    """As `subprocess` reads it."""
    return said.decode(errors="backslashreplace").replace("\r\n", "\n").replace("\r", "\n")


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_AT_START)}


@cache
def _server() -> _Server:
    return _Server()
