"""Programs started where a remote's store stands: a connection leads there, and each program has a channel."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, NamedTuple, Protocol

from pivot.errors import ConnectionLost, RemoteError
from pivot.git.plumbing.command import clean_environment

BLOCK = 1 << 18  # bytes moved at a time
_PIPE = 1 << 20  # bytes that a pipe may hold, where the system can be asked for that


class ProgramExit(NamedTuple):
    """How a program ended: exit code, and the last of what it complained about."""

    code: int
    complaint: str


class Channel(Protocol):
    """One program that runs there, with its input and output."""

    def write(self, data: bytes | memoryview) -> None:
        """Raises `BrokenPipeError` when the program reads no more; `finish` then tells why."""

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """Write up to `count` bytes of a file; how many, 0 at its end. Raises `BrokenPipeError` as `write` does."""

    def end(self) -> None:
        """There is no more input."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; none at the end."""

    def finish(self) -> ProgramExit:
        """Wait for the end. Raises `ConnectionLost` when the line broke and nobody knows how the program ended."""

    def close(self) -> None:
        """Let go of it, whether it has ended or not."""


class Connection(Protocol):
    """What leads to the machine of a remote."""

    def start(self, command: str) -> Channel:
        """Start a shell command. Raises `RemoteError`, or `ConnectionLost`."""

    def close(self) -> None:
        """Close it and all of its channels, from whatever thread."""


class ProcessChannel:
    """A program of this machine; `explain` tells from exit code and complaint whether the way to a host has failed."""

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], explain: Callable[[int, str], RemoteError | None]
    ) -> None:
        self._explain = explain
        self.is_closed = False
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the channel
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0, env=environment
            )
        except OSError as error:
            self._errors.close()
            raise RemoteError(f"{command[0]} cannot be started: {error.strerror}") from error
        for pipe in (self._process.stdin, self._process.stdout):
            _widen(pipe)

    def write(self, data: bytes | memoryview) -> None:
        assert self._process.stdin
        view = memoryview(data)
        try:
            while view:
                view = view[self._process.stdin.write(view) or 0 :]
        except ValueError as error:  # closed, by another thread
            raise BrokenPipeError(str(error)) from error

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """By the kernel alone where it can: the bytes do not pass through this process."""
        assert self._process.stdin
        if hasattr(os, "splice"):
            try:
                return os.splice(descriptor, self._process.stdin.fileno(), count, offset_src=offset)
            except ValueError as error:  # closed, by another thread
                raise BrokenPipeError(str(error)) from error
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.ENOSYS):  # a file system that cannot
                    raise
        return copy_file(self, descriptor, offset, count)

    def end(self) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def read(self, count: int) -> bytes:
        assert self._process.stdout
        try:
            return self._process.stdout.read(count) or b""
        except ValueError:
            return b""

    def finish(self) -> ProgramExit:
        self.end()
        while self.read(BLOCK):
            pass
        code = self._process.wait()
        if self.is_closed:
            raise ConnectionLost("the connection was closed")
        self._errors.seek(0)
        told = self._errors.read()
        self.close()
        if failed := self._explain(code, told.decode("utf-8", "surrogateescape")):
            raise failed
        return ProgramExit(code, last_words(told))

    def close(self) -> None:
        self.is_closed = True
        if self._process.poll() is None:
            self._process.terminate()  # first: whoever reads in another thread sees the end then
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError, ValueError):
                    pipe.close()
        self._errors.close()


def copy_file(channel: Channel, descriptor: int, offset: int, count: int) -> int:
    """`Channel.send_file` by reading and writing."""
    block = os.pread(descriptor, count, offset)
    channel.write(block)
    return len(block)


class LocalShell:
    """The way to a store on this machine's own disks."""

    def __init__(self) -> None:
        self._open: list[ProcessChannel] = []

    def start(self, command: str) -> Channel:
        channel = ProcessChannel(["sh", "-c", command], clean_environment(os.environ), no_way_to_fail)
        self._open.append(channel)
        return channel

    def close(self) -> None:
        for channel in self._open:
            channel.close()


def no_way_to_fail(code: int, told: str) -> RemoteError | None:
    """For programs of this machine."""
    return None


def feed(channel: Channel, blocks: Iterable[bytes]) -> None:
    """Give a program its whole input. That it does not want it all is for `finish` to tell."""
    with suppress(BrokenPipeError):
        for block in blocks:
            channel.write(block)
    channel.end()


def converse(channel: Channel, data: bytes) -> Iterator[bytes]:
    """Give a program its input while its output is read, so that neither waits for the other."""
    writer = threading.Thread(target=feed, args=(channel, [data]), daemon=True)
    writer.start()
    while block := channel.read(BLOCK):
        yield block
    writer.join()


def last_words(told: bytes) -> str:
    """The first `fatal:` or `error:` line of what a program complained about, else its last line."""
    lines = [line.strip() for line in told.decode("utf-8", "surrogateescape").splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (reasons or lines[-1:] or [""])[0].removeprefix("fatal: ").removeprefix("error: ")


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold more, which halves the switches between two processes on a loaded machine."""
    import fcntl

    if pipe and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
