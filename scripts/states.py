"""Write the states of a stage and the moves between them into `docs/architecture.md`, or check that they stand there.

python scripts/states.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- states: made by scripts/states.py -->\n", "<!-- end of states -->\n"

MEANINGS = {
    "waiting": "an upstream has not ended yet",
    "ready": "all upstreams have ended; it is decided on next",
    "queued": "it must run, and waits for a job, a resource or a mutex",
    "fetching": "bytes come from a remote: its inputs, or its own known outputs",
    "running": "its process is under way",
    "retrying": "it failed, and waits for another try",
    "restoring": "known outputs are brought into place",
    "ran": "it ran, and its record is written",
    "unchanged": "its outputs were in place",
    "restored": "its outputs were brought into place",
    "failed": "it raised, timed out, or could not be started or restored",
    "blocked": "an upstream failed, or an input is missing",
    "skipped": "the run ended before it was started",
    "cancelled": "it was killed by a second Ctrl-C; shown as skipped",
}


def render() -> str:
    """The part of the page between its two marks."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    from pivot.run.stage_states import MOVES, StageState

    order = {state: number for number, state in enumerate(StageState)}
    yield "| state | meaning | may become |"
    yield "|---|---|---|"
    for state in StageState:
        moves = ", ".join(move.value for move in sorted(MOVES[state], key=order.__getitem__))
        yield f"| {state.value} | {MEANINGS[state.value]} | {moves} |"


def main(arguments: list[str]) -> int:
    """0 if the page is right (or was written), 1 if `--check` finds it out of date."""
    sys.path.insert(0, str(ROOT))
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    made = f"{head}{BEGIN}{render()}{END}{rest.partition(END)[2]}"
    if "--check" in arguments:
        return 0 if page == made else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
