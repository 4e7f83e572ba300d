"""The code servers of a command, by pipeline file: started, retired and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from pivot.code.analysis.cache import check, load
from pivot.code.analysis.model import ImportFailure, PipelineModel
from pivot.pipeline.overrides import Given
from pivot.pool.connection import ServerConnection
from pivot.pool.event_loop import Readiness
from pivot.pool.logs import LogFile, log_folder
from pivot.pool.output_capture import PrintedLine
from pivot.worker.prewarm import libraries_stamp
from pivot.worker.protocol import Message, Preload, Setup

_WARM = 2
"""Each server that is held ready has the memory of all libraries that its pipeline imports."""


class WorkerSettings(Struct, frozen=True):
    """Where things stand and how stages start; `grace` is in seconds: between SIGTERM and SIGKILL, and for
    threads that a stage leaves at work.

    `logs` is the folder of the stages' logs. `cache` is where code servers keep their analysis ("": they do not).
    `given` are parameters that the user gave for this command; `cache` must be of their own. `carried` is up to how
    many bytes a stage's outputs come with its `JobDone`, for the caller to store.
    """

    root: Path
    store: Path
    logs: Path
    cache: str = ""
    link: str = "auto"
    start: Literal["auto", "fork", "spawn"] = "auto"
    grace: float = 5.0
    given: tuple[Given, ...] = ()
    carried: int = 0
    outside: str = "count"

    def setup(self, file: str) -> Setup:
        """What a process that imports a pipeline file is told."""
        return Setup(
            root=str(self.root),
            file=file,
            store=str(self.store),
            link=self.link,
            cache=self.cache,
            grace=self.grace,
            start=self.start,
            given=self.given,
            carried=self.carried,
            outside=self.outside,
            reports=str(self.logs.parent / "children"),
        )


Hear = Callable[[ServerConnection, list[Message]], None]
Print = Callable[[ServerConnection, list[PrintedLine]], None]


class Servers:
    """`hear` takes what a code server says, `print_` the lines that its import prints."""

    def __init__(self, settings: WorkerSettings, readiness: Readiness, hear: Hear, print_: Print) -> None:
        self._settings = settings
        self._readiness = readiness
        self._hear = hear
        self._print = print_
        self._current: dict[str, ServerConnection] = {}
        self._retired: list[ServerConnection] = []
        self._early: set[int] = set()
        self._standby: dict[str, tuple[ServerConnection, tuple[int, ...]]] = {}
        self._warmth: dict[str, Preload] = {}

    def standing(self, file: str, fresh: bool) -> PipelineModel | None:
        """The model of an analysis that still holds; a code server whose import does not hold any more is retired."""
        place = (Path(self._settings.cache), self._settings.root, file)
        connection = self._current.get(file)
        if connection is not None and connection.answer is None and id(connection) in self._early:
            self.abandon([connection])  # nobody can say which bytes it has read
        elif connection is not None and connection.answer is not None:
            if isinstance(connection.answer, PipelineModel) and self._settings.cache and not check(*place):
                return connection.answer
            self._retire(file)
        return load(*place) if self._settings.cache and not fresh else None

    def connect(self, file: str) -> ServerConnection:
        """The code server of a file; a new one where there is none, or where the import had failed."""
        found = self._current.get(file)
        if found and not (found.ended or isinstance(found.answer, ImportFailure)):
            return found
        if found:
            self._retire(file)
        connection = self._current[file] = self._take_standby(file) or self._start(self._settings.setup(file))
        return connection

    def warm_up(self, files: Iterable[str]) -> bool:
        """Make the next code servers ready, of the files that were imported last and of these; a few only.

        Whether all is done; it takes several calls.
        """
        done = True
        for file in list(dict.fromkeys([*reversed(self._current), *files]))[:_WARM]:
            connection = self._current.get(file)
            if connection is None:
                connection = self._current[file] = self._start(self._settings.setup(file))
                self._early.add(id(connection))
            done = done and connection.answer is not None
            if connection.answer is not None and file not in self._standby:
                warmth = self._warmth[file] = connection.warmth or self._warmth.get(file, Preload())
                held = msgspec.structs.replace(self._settings.setup(file), warm=warmth, held=True)
                self._standby[file] = (self._start(held), libraries_stamp())
        return done

    def is_current(self, connection: ServerConnection) -> bool:
        """Whether it is the one that jobs of its file go to."""
        return self._current.get(connection.file) is connection

    def abandon(self, connections: Iterable[ServerConnection]) -> None:
        """End these at once."""
        for connection in connections:
            del self._current[connection.file]
            self._disconnect(connection)

    def close_retired(self, busy: set[int]) -> None:
        """End those that get no more jobs and have none left; `busy` are the identities of those that have."""
        for connection in [one for one in self._retired if id(one) not in busy]:
            self._retired.remove(connection)
            self._disconnect(connection)

    def close(self) -> None:
        held = [connection for connection, _ in self._standby.values()]
        for connection in (*self._current.values(), *self._retired, *held):
            self._disconnect(connection)

    def read_prints(self, connection: ServerConnection) -> None:
        lines = connection.prints.read()
        self._print(connection, lines if connection.begun else [])
        if connection.prints.ended:
            self._readiness.unwatch(connection.prints.descriptor)

    def _retire(self, file: str) -> None:
        """A code server that gets no more jobs; it ends with the last that it has."""
        self._retired.append(self._current.pop(file))

    def _take_standby(self, file: str) -> ServerConnection | None:
        """The server that was made ready for a file, unless it has ended or its libraries are others by now."""
        connection, stamp = self._standby.pop(file, (None, ()))
        if connection is None:
            return None
        if connection.ended or stamp != libraries_stamp():
            self._disconnect(connection)
            return None
        connection.begin()
        return connection

    def _start(self, setup: Setup) -> ServerConnection:
        connection = ServerConnection(setup, LogFile(log_folder(self._settings.logs, f"import {setup.file}")))
        self._readiness.watch(connection.fileno(), lambda: self._read(connection))
        self._readiness.watch(connection.prints.descriptor, lambda: self.read_prints(connection))
        return connection

    def _read(self, connection: ServerConnection) -> None:
        messages = connection.read()
        if connection.ended:
            self._readiness.unwatch(connection.fileno())
        if connection.begun:
            self._hear(connection, messages)

    def _disconnect(self, connection: ServerConnection) -> None:
        self._readiness.unwatch(connection.fileno())
        self._readiness.unwatch(connection.prints.descriptor)
        connection.close()
