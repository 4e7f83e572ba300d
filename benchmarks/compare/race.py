"""Contestants measured in turn, A B A B, each run checked for what it did."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.ratios import Sample, TookTooLong, Workload, WorkloadFailed, measure


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run did: whether all outputs are right, how many steps ran, and how many had to."""

    right: bool
    ran: int
    needed: int


@dataclass(frozen=True, slots=True)
class Leg:
    """One command that is measured, and the look at what it did."""

    operation: str
    workload: Workload
    look: Callable[[], Finding] | None = None


# The legs of one round, in order; what stands between two of them is not measured.
Legs = Callable[[int], Iterator[Leg]]


@dataclass(slots=True)
class Row:
    """All runs of one operation by one contestant."""

    operation: str
    contestant: str
    is_floor: bool
    samples: list[Sample] = field(default_factory=list)
    finding: Finding | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A workload's rows; `count` is the number of steps, where a cost for each is of interest."""

    title: str
    about: str
    rows: list[Row]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """How often each runs, and for how many seconds at most."""

    rounds: int
    limit: float

    def with_fewer(self, fewer: int) -> Terms:
        """For runs that are longer, and so less at the mercy of the moment."""
        return replace(self, rounds=max(1, self.rounds - fewer))


def race(floors: Mapping[str, Legs], contestants: Mapping[str, Legs], terms: Terms) -> list[Row]:
    """Each contestant's legs once a round; who fails or takes too long takes no further part."""
    rows: dict[tuple[str, str], Row] = {}
    out: set[str] = set()
    for number in range(1, terms.rounds + 1):
        for name, legs in (*floors.items(), *contestants.items()):
            if name not in out and not _round(rows, name, legs(number), terms.limit, name in floors):
                out.add(name)
    return _by_operation(list(rows.values()))


def _round(rows: dict[tuple[str, str], Row], name: str, legs: Iterator[Leg], limit: float, is_floor: bool) -> bool:
    """Whether the contestant is to take part in the next round."""
    row = Row("first run", name, is_floor)
    try:
        for leg in legs:
            row = rows.setdefault((leg.operation, name), Row(leg.operation, name, is_floor))
            row.samples.append(measure(leg.workload, limit))
            if leg.look:
                row.finding = _worse(row.finding, leg.look())
            say(f"{name}, {leg.operation}: {row.samples[-1].cpu:.2f} s of CPU, {row.finding or ''}")
    except (WorkloadFailed, subprocess.CalledProcessError) as failure:
        rows.setdefault((row.operation, name), row)
        row.note = f"ended after {limit:g} s" if isinstance(failure, TookTooLong) else "failed"
        say(f"{name}, {row.operation}: {failure}")
        return False
    return True


def _worse(known: Finding | None, found: Finding) -> Finding:
    """A wrong result in one round is a wrong result."""
    return known if known and (not known.right or known.ran > found.ran) and found.right else found


def _by_operation(rows: Sequence[Row]) -> list[Row]:
    operations = list(dict.fromkeys(row.operation for row in rows))
    return sorted(rows, key=lambda row: (operations.index(row.operation), not row.is_floor))


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
