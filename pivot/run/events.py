"""What happens in a run, in order: the command line, JSON output and tests iterate over these."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from pivot.plan.decision import Plan, Reason
from pivot.schedule.forecast import Forecast

Ending = Literal["ran", "restored", "unchanged", "failed", "blocked", "skipped"]
NOT_STARTED = "the run was stopped before it started"
"""The message of a stage that was skipped for no reason of its own."""


class RunPlanned(Struct, frozen=True):
    """The stages that this run is about, with the decision for each as far as it is known before anything runs."""

    plan: Plan


class RunForecast(Struct, frozen=True):
    """What the run will take, as far as past runs tell."""

    forecast: Forecast


class StageStarted(Struct, frozen=True):
    """`expected` is how many seconds it took when it ran last; None where that is not known."""

    stage: str
    reasons: tuple[Reason, ...]
    expected: float | None = None


class StageRestoring(Struct, frozen=True):
    """Known outputs are about to be brought into place, `size` bytes of them; its end is a `StageEnded`."""

    stage: str
    size: int


class StagePulling(Struct, frozen=True):
    """Bytes that a stage reads, or its own known outputs, are brought from a remote: `size` of them."""

    stage: str
    remote: str
    size: int


class StagePrinted(Struct, frozen=True):
    """A line that the stage itself printed; a `passing` one is overwritten by the next (a progress bar)."""

    stage: str
    line: str
    passing: bool = False


class StageEnded(Struct, frozen=True):
    """`seconds` is wall time (0 where nothing ran); `message` says why it failed or is blocked; `log` is a path.

    `tail` is the last that a failed stage printed, `partial` the folder to which what it had written was moved.
    """

    stage: str
    ending: Ending
    reasons: tuple[Reason, ...] = ()
    seconds: float = 0.0
    message: str = ""
    log: str = ""
    tail: tuple[str, ...] = ()
    partial: str = ""


class Noticed(Struct, frozen=True):
    """A warning that concerns the run as a whole, or one stage."""

    text: str
    stage: str = ""


class RunEnded(Struct, frozen=True):
    """Totals; `seconds` is wall time of the whole run."""

    endings: dict[str, Ending] = field(default_factory=dict)
    seconds: float = 0.0
    interrupted: bool = False

    def count(self, ending: Ending) -> int:
        return sum(1 for found in self.endings.values() if found == ending)

    @property
    def ok(self) -> bool:
        return not self.interrupted and not (self.count("failed") or self.count("blocked"))


class Watching(Struct, frozen=True):
    """Files are watched from here on; `polling` says why they are looked at in turn instead ("": they are not)."""

    polling: str = ""


class Changed(Struct, frozen=True):
    """Files that matter have changed; repository-relative where they lie inside. A plan follows."""

    paths: tuple[str, ...]


class Unplanned(Struct, frozen=True):
    """What stands in the files cannot be planned or imported, all of it or that of `file`; the next save may do."""

    text: str
    file: str = ""


class WaitingForLock(Struct, frozen=True):
    """Another command works on this work tree; `text` says which."""

    text: str


class Paused(Struct, frozen=True):
    """Changes are collected and start nothing (`on`), or do so again."""

    on: bool


class Beat(Struct, frozen=True):
    """Time has gone by, or somebody has pressed a key: nothing for a reader of events, but a display may move."""

    key: str = ""


RunEvent = (
    RunPlanned
    | RunForecast
    | StagePulling
    | StageStarted
    | StageRestoring
    | StagePrinted
    | StageEnded
    | Noticed
    | RunEnded
)
Event = RunEvent | Watching | Changed | Unplanned | WaitingForLock | Paused | Beat
