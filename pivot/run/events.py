"""What happens in a run, in order: the command line, JSON output and tests iterate over these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pivot.plan.decision import Plan, Reason
from pivot.run.forecast import Forecast

Ending = Literal["ran", "restored", "unchanged", "failed", "blocked", "skipped"]


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """The stages that this run is about, with the decision for each as far as it is known before anything runs."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class RunForecast:
    """What the run will take, as far as past runs tell."""

    forecast: Forecast


@dataclass(frozen=True, slots=True)
class StageStarted:
    """`expected` is how many seconds it took when it ran last; None where that is not known."""

    stage: str
    reasons: tuple[Reason, ...]
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class StageRestoring:
    """Known outputs are about to be brought into place, `size` bytes of them; its end is a `StageEnded`."""

    stage: str
    size: int


@dataclass(frozen=True, slots=True)
class StagePulling:
    """Bytes that a stage reads, or its own known outputs, are brought from a remote: `size` of them."""

    stage: str
    remote: str
    size: int


@dataclass(frozen=True, slots=True)
class StagePrinted:
    """A line that the stage itself printed; a `passing` one is overwritten by the next (a progress bar)."""

    stage: str
    line: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class StageEnded:
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


@dataclass(frozen=True, slots=True)
class Noticed:
    """A warning that concerns the run as a whole, or one stage."""

    text: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Totals; `seconds` is wall time of the whole run."""

    endings: dict[str, Ending] = field(default_factory=dict)
    seconds: float = 0.0
    interrupted: bool = False

    def count(self, ending: Ending) -> int:
        return sum(1 for found in self.endings.values() if found == ending)

    @property
    def ok(self) -> bool:
        return not self.interrupted and not (self.count("failed") or self.count("blocked"))


@dataclass(frozen=True, slots=True)
class Watching:
    """Files are watched from here on; `polling` says why they are looked at in turn instead ("": they are not)."""

    polling: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """Files that matter have changed; repository-relative where they lie inside. A plan follows."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unplanned:
    """What stands in the files cannot be planned or imported, all of it or that of `file`; the next save may do."""

    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another command works on this work tree; `text` says which."""

    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Changes are collected and start nothing (`on`), or do so again."""

    on: bool


@dataclass(frozen=True, slots=True)
class Beat:
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
Event = RunEvent | Watching | Changed | Unplanned | Waiting | Paused | Beat
