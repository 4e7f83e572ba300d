"""The command's end of one code server: its process, its socket, and what it has said about itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence

import msgspec

from pivot.code.analysis.model import ImportFailure, PipelineModel
from pivot.git.plumbing.command import clean_environment, held_back
from pivot.pool.exit_status import explain_server_exit
from pivot.pool.logs import LogFile
from pivot.pool.output_capture import Capture
from pivot.worker.child_reports import remove_folder
from pivot.worker.process_groups import kill_strays, signal_group
from pivot.worker.protocol import (
    MODEL_LIMIT,
    Analysed,
    Begin,
    FrameReader,
    FromServer,
    ImportFailed,
    Message,
    Preload,
    ProtocolError,
    Setup,
    encode,
)
from pivot.worker.spawn import python_command

_READ = 1 << 20
_FAREWELL = 3.0


class ServerConnection:
    """A running code server. `answer` is what came of the import, None until it is over; `prints` what it printed."""

    def __init__(self, setup: Setup, log: LogFile) -> None:
        self._mark = os.urandom(8).hex()
        self.setup = setup = msgspec.structs.replace(setup, reports=f"{setup.reports}/{self._mark}")
        self.answer: PipelineModel | ImportFailure | None = None
        self.start = self.why = ""
        self.warmth: Preload | None = None
        self.begun = not setup.held
        self.ended = False
        self._reader = FrameReader(FromServer, MODEL_LIMIT)
        self._link, far_end = socket.socketpair()
        output, write_end = os.pipe()
        self.prints = Capture(output, log)
        with far_end:
            try:
                self._process = _start_process(setup, self._mark, far_end.fileno(), write_end)
            finally:
                os.close(write_end)
        self.send(setup)

    @property
    def file(self) -> str:
        return self.setup.file

    def fileno(self) -> int:
        return self._link.fileno()

    def begin(self) -> None:
        """Let a server that was held import the code."""
        self.begun = True
        self.send(Begin())

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Silent when the server has ended: the end of its messages says so, with the reason."""
        try:
            frame = memoryview(encode(message))
            sent = socket.send_fds(self._link, [frame], list(descriptors)) if descriptors else 0
            self._link.sendall(frame[sent:])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read(self) -> list[Message]:
        """The messages of one read; `ended` is set, and `answer` is a failure if there was none, at the end."""
        try:
            data = self._link.recv(_READ)
            messages: list[Message] = self._reader.feed(data)
        except ConnectionResetError:
            data, messages = b"", []
        except ProtocolError as error:
            self._finish(f"the code server of {self.file} sent something that is no message: {error}")
            return []
        for message in messages:
            self._take(message)
        if not data:
            self._finish("")
        return messages

    def _take(self, message: Message) -> None:
        if isinstance(message, Analysed):
            self.answer, self.warmth = message.model, message.warmth
            self.start, self.why = message.start, message.why
        elif isinstance(message, ImportFailed):
            self.answer = ImportFailure(self.file, message.message)

    def _finish(self, why: str) -> None:
        self.ended = True
        status = self._wait()
        if self.answer is None:
            self.prints.drain()
            last = "".join(f"\n  {line}" for line in self.prints.tail)
            self.answer = ImportFailure(self.file, (why or explain_server_exit(self.file, status)) + last)

    def _wait(self) -> int:
        """The exit code of the process, which is killed if it takes its time."""
        try:
            return self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            signal_group(self._process.pid, signal.SIGKILL)
            return self._process.wait()

    def close(self) -> None:
        """End the server, and with it every stage that it runs."""
        self._link.close()
        self._wait()
        # What the import started may have outlived a server that was killed before it could end its group.
        signal_group(self._process.pid, signal.SIGKILL)
        if self.ended:  # by itself: nothing says that it could end what it had started
            kill_strays(f"{_SERVER}={self._mark}")
        remove_folder(self.setup.reports)
        self.prints.close()


INSIDE = "GIT_PIVOT_INSIDE"
"""Tells a `git pivot` that the user's code calls in which repository it is being run or imported."""

# Tells the processes of one server from those of every other: only its own are ended with it.
_SERVER = "GIT_PIVOT_SERVER"


def _start_process(setup: Setup, mark: str, link: int, output: int) -> subprocess.Popen[bytes]:
    with held_back():
        return subprocess.Popen(
            python_command("pivot.worker.fork_server", str(link)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(link,),
            cwd=setup.root,
            env={**clean_environment(os.environ), INSIDE: setup.root, _SERVER: mark},
            start_new_session=True,
        )
