"""A project with one pipeline file, and the workers that run its stages."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from pivot.code.analysis.model import ImportFailure, PipelineModel
from pivot.pool.jobs import Job, JobDone, JobEvent, JobFailed, JobPrinted
from pivot.pool.pool import WorkerPool
from pivot.pool.server_pool import WorkerSettings
from pivot.store.store import Store

HEAD = """
import os, sys, time, pathlib, signal, threading, subprocess
from typing import Annotated
import pivot

Text = Annotated[str, pivot.Out("out.txt", pivot.loaders.Text())]
pipeline = pivot.Pipeline("p")
"""


class Bench:
    """Runs stages of `pipeline.py` and says what came of them."""

    def __init__(self, root: Path, settings: WorkerSettings) -> None:
        self.root = root
        self.settings = settings
        self.workers = WorkerPool(settings)
        self._ids = count(1)
        self.printed: list[str] = []

    def write(self, body: str, head: str = HEAD) -> None:
        (self.root / "pipeline.py").write_text(head + textwrap.dedent(body))

    def stage(self, body: str, before: str = "") -> None:
        """A pipeline with one stage, `work`, that writes `out.txt`."""
        function = "@pipeline.register\ndef work() -> Text:\n" + textwrap.indent(textwrap.dedent(body), "    ")
        self.write(textwrap.dedent(before) + "\n" + function)

    def model(self) -> PipelineModel | ImportFailure:
        return self.workers.model("pipeline.py")

    def job(self, stage: str = "work", **kwargs: object) -> Job:
        return replace(Job(next(self._ids), stage, "pipeline.py"), **kwargs)

    def start(self, stage: str = "work", **kwargs: object) -> Job:
        job = self.job(stage, **kwargs)
        self.workers.start(job)
        return job

    def wait(self, patience: float = 20) -> list[JobDone | JobFailed]:
        """The endings of all running jobs."""
        return [one for one in self.everything(patience) if isinstance(one, JobDone | JobFailed)]

    def everything(self, patience: float = 20) -> list[JobEvent]:
        end = time.monotonic() + patience
        events: list[JobEvent] = []
        while self.workers.running() and time.monotonic() < end:
            events += self.workers.events(0.5)
        events += self.workers.events(0)
        assert not self.workers.running(), "a job has not ended in time"
        self.printed += [one.line for one in events if isinstance(one, JobPrinted) and not one.passing]
        return events

    def run(self, stage: str = "work", **kwargs: object) -> JobDone | JobFailed:
        self.start(stage, **kwargs)
        (ending,) = self.wait()
        return ending

    def done(self, stage: str = "work", **kwargs: object) -> JobDone:
        ending = self.run(stage, **kwargs)
        assert isinstance(ending, JobDone), ending
        return ending

    def failed(self, stage: str = "work", **kwargs: object) -> JobFailed:
        ending = self.run(stage, **kwargs)
        assert isinstance(ending, JobFailed), ending
        return ending

    def read(self, path: str = "out.txt") -> str:
        return (self.root / path).read_text()

    def stored(self, ending: JobDone, path: str = "out.txt") -> bytes:
        return Store.open(self.settings.store).read(ending.outs[path].id)

    def started(self, mark: str = "pid", patience: float = 10) -> int:
        """The number that a stage or an import has written into the file `mark`."""
        return int(self.wait_for_file(mark, patience))

    def wait_for_file(self, name: str, patience: float = 10) -> str:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.workers.running():
                self.workers.events(0.01)
            path = self.root / name
            if path.exists() and path.read_text():
                return path.read_text()
            time.sleep(0.01)
        raise AssertionError(f"{name} was not written")


def is_alive(pid: int) -> bool:
    """Whether a process is there and more than a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    except ProcessLookupError:
        return False
    return state != "Z"


def gone(pid: int, patience: float = 5) -> bool:
    """Whether a process ends within `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False


def open_bench(root: Path, **settings: object) -> Bench:
    root.mkdir(exist_ok=True)
    private = root.parent / f"{root.name}-git"
    found = WorkerSettings(
        root=root, store=private / "store.git", logs=private / "logs", cache=str(private / "cache"), grace=0.5
    )
    return Bench(root, replace(found, **settings))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = open_bench(tmp_path / "project")
    yield found
    found.workers.close()


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: object) -> Bench:
        made.append(open_bench(tmp_path / "project", **settings))
        return made[-1]

    yield make
    for one in made:
        one.workers.close()
