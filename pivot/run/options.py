"""How a run is to go about its work."""

from __future__ import annotations

from msgspec import Struct


class RunOptions(Struct, frozen=True):
    """`jobs` stages at a time; `verb` is what the run history calls this run.

    `budget` is in seconds: a stage that would take longer than what is left of it is not started. With `discard_edits`
    what users wrote into outputs is not put away before it is replaced. At `terminal` (a path) the debugger opens when
    a stage raises.
    """

    jobs: int
    keep_going: bool = False
    budget: float | None = None
    discard_edits: bool = False
    verb: str = "repro"
    terminal: str = ""
