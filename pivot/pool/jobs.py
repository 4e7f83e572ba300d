"""A stage's run as the command sees it: what is asked of the workers, and what they report."""

from __future__ import annotations

from msgspec import Struct

from pivot.store.odb.objects import Object
from pivot.worker.protocol import FailureKind


class Job(Struct, frozen=True):
    """Run one stage once. `id` is the caller's and unique among the running jobs.

    `file` is the pipeline file, `code` the digest that the plan was made with ("": do not compare). `timeout` is in
    seconds (None: no limit), `memory` limits the address space in bytes (0: no limit). At `terminal` (a path) the
    debugger opens when the stage's function raises.
    """

    id: int
    stage: str
    file: str
    code: str = ""
    timeout: float | None = None
    memory: int = 0
    terminal: str = ""


class JobPrinted(Struct, frozen=True):
    """A line that the stage printed. A `passing` line is one that a later one overwrites: a progress bar."""

    stage: str
    line: str
    job: Job
    passing: bool = False


class JobDone(Struct, frozen=True):
    """A stage has run; its outputs are in the store, or in `carried` (id -> bytes). All paths are repository-relative.

    `seconds` is wall time from the launch to the end, `cpu` in seconds and `memory` (peak resident bytes) include child
    processes. `modules` are project files imported while it ran, `undeclared` says which project files it read or wrote
    without declaring them (`reads a.csv (stages.py:12)`), `stats` is for `StatCache.absorb`.
    """

    stage: str
    job: Job
    outs: dict[str, Object]
    seconds: float
    cpu: float
    memory: int
    modules: tuple[str, ...]
    undeclared: tuple[str, ...]
    environment: dict[str, str | None]
    stats: bytes
    warnings: tuple[str, ...]
    carried: dict[str, bytes]
    log: str


class JobFailed(Struct, frozen=True):
    """A stage has not given a result. `message` is a sentence; `traceback` has the user's frames only.

    `inputs` describes each input in a line, `tail` is the last of what the stage printed, `log` the path of the whole
    ("" when it printed nothing).
    """

    stage: str
    job: Job
    kind: FailureKind
    message: str
    traceback: str = ""
    inputs: tuple[str, ...] = ()
    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    tail: tuple[str, ...] = ()
    log: str = ""


class FilePrinted(Struct, frozen=True):
    """A line that a pipeline file printed while it was imported."""

    file: str
    line: str


JobEvent = FilePrinted | JobPrinted | JobDone | JobFailed


def failure_text(failed: JobFailed) -> str:
    """What a failed stage shows: the user's frames or one sentence, its inputs, and the last that it printed."""
    trace = failed.traceback.rstrip()
    # What the user's code raised stands in the last line of its traceback already.
    lines = [trace] if trace and failed.kind == "raised" else [one for one in (failed.message, trace) if one]
    if failed.inputs:
        lines += ["Inputs:", *(f"  {line}" for line in failed.inputs)]
    return "\n".join(lines)
