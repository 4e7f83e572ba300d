"""A tool in its place, with the steps that most workloads share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.compare.peer import Peer, Place, begin
from benchmarks.compare.project import Project
from benchmarks.compare.race import Finding, Leg

YOUNG = 0.1  # seconds: a file younger than a clock tick is trusted by nobody


@dataclass(frozen=True, slots=True)
class Contestant:
    """A tool that is installed, and where it works."""

    peer: Peer
    place: Place

    def begin(self, project: Project, edit: int = 0) -> None:
        begin(self.peer, self.place, project, edit)

    def run(self) -> None:
        """Bring everything up to date, unmeasured."""
        self.place.do(self.peer.run)
        self.place.take_log()

    def leg(self, operation: str, project: Project, edit: int, needed: int) -> Leg:
        """A run of everything, after which `needed` steps have run and the outputs are those of `edit`."""
        return self.command(operation, self.peer.run, project, edit, needed)

    def command(self, operation: str, command: tuple[str, ...], project: Project, edit: int, needed: int) -> Leg:
        def look() -> Finding:
            return Finding(project.is_right(self.place.project, edit), self.place.take_log(), needed)

        return Leg(operation, self.place.workload(f"{self.peer.name}, {operation}", command), look)

    def settle(self) -> None:
        """A run that finds nothing to do, later than all files: the next one meets what a user meets."""
        time.sleep(YOUNG)
        self.run()


def cold_nothing(contestant: Contestant, project: Project, edit: int) -> Iterator[Leg]:
    """A first run, and one with nothing to do."""
    contestant.begin(project, edit)
    yield contestant.leg("first run", project, edit, len(project.steps))
    contestant.settle()
    yield contestant.leg("nothing to do", project, edit, 0)
