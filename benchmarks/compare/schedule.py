"""Which workloads there are, in which sizes, and the order of a whole comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.compare.contestant import Contestant
from benchmarks.compare.environments import LIBRARY
from benchmarks.compare.race import Section, Terms, say
from benchmarks.compare.workloads.branches import branch_switch
from benchmarks.compare.workloads.outputs import large_file, small_files
from benchmarks.compare.workloads.remote import remotes
from benchmarks.compare.workloads.stages import heavy_import, many_stages


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything; `limit` is how many seconds one run may take."""

    counts: tuple[int, ...]
    imports: int
    mebibytes: int
    files: int
    switched: int
    rounds: int
    limit: float


FULL = Sizes(counts=(10, 100, 1000), imports=10, mebibytes=1024, files=10_000, switched=30, rounds=3, limit=150)
SMALL = Sizes(counts=(10,), imports=3, mebibytes=32, files=300, switched=10, rounds=1, limit=60)

Workload = Callable[[Sequence[Contestant], Sizes, Terms, Path], Iterator[Section]]


def _large(contestants: Sequence[Contestant], sizes: Sizes, terms: Terms, folder: Path) -> Iterator[Section]:
    return large_file(contestants, sizes.mebibytes, _fewer(sizes, terms), folder)


def _ssh(contestants: Sequence[Contestant], sizes: Sizes, terms: Terms, folder: Path) -> Iterator[Section]:
    return remotes(contestants, (sizes.mebibytes, sizes.files), _fewer(sizes, terms), folder)


def _fewer(sizes: Sizes, terms: Terms) -> Terms:
    """A gigabyte is moved once: it is its own average."""
    return replace(terms, rounds=1) if sizes.mebibytes >= 1024 else terms


WORKLOADS: Mapping[str, Workload] = {
    "stages": lambda tools, sizes, terms, folder: many_stages(tools, sizes.counts, terms, folder),
    "import": lambda tools, sizes, terms, folder: heavy_import(tools, sizes.imports, LIBRARY, terms, folder),
    "large": _large,
    "files": lambda tools, sizes, terms, folder: small_files(tools, sizes.files, terms, folder),
    "branches": lambda tools, sizes, terms, folder: branch_switch(tools, sizes.switched, terms, folder),
    "ssh": _ssh,
}


def measure_all(
    names: Sequence[str], contestants: Sequence[Contestant], sizes: Sizes, terms: Terms, folder: Path
) -> Iterator[tuple[str, Section]]:
    """Each section as soon as it is measured, with its place among all of them."""
    for name in names:
        place = folder / name
        place.mkdir()
        for section in WORKLOADS[name](contestants, sizes, terms, place):
            say(f"== {section.title}")
            yield name, section
