"""Compare with the tools that people use now, and write the page of figures.

    python -m benchmarks.compare [--small] [--workloads stages,import,...] [--tools dvc,...] [--page FILE]

Each tool is installed into a virtual environment of its own, kept in the user's cache. The same work is done in turn,
each run is checked for what it did, and a tool that would take longer than `--limit` is left out and named. `--results`
keeps the figures, so that workloads may be measured one by one; those measured again replace the older ones.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import kept
from benchmarks.compare.contestant import Contestant
from benchmarks.compare.environments import NotInstalled, environments, install, version
from benchmarks.compare.machine import head
from benchmarks.compare.peer import make_place
from benchmarks.compare.peers import PEERS
from benchmarks.compare.race import Terms, say
from benchmarks.compare.report import page
from benchmarks.compare.schedule import FULL, SMALL, WORKLOADS, measure_all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--small", action="store_true", help="small sizes and one round: a quick look")
    parser.add_argument("--counts", type=_numbers, help="how many steps, from few to many: 10,100,1000")
    parser.add_argument("--mebibytes", type=int, help="of the large file")
    parser.add_argument("--files", type=int, help="how many small files")
    parser.add_argument("--rounds", type=int, help="how often each is measured; fewer where runs are long")
    parser.add_argument("--limit", type=float, help="seconds that one run may take")
    parser.add_argument("--workloads", type=_names, default=list(WORKLOADS), help=", ".join(WORKLOADS))
    parser.add_argument("--tools", type=_names, default=[peer.name.lower() for peer in PEERS])
    parser.add_argument("--folder", type=Path, help="where to work: the file system that is measured")
    parser.add_argument("--results", type=Path, default=environments().parent.parent / "results.json")
    parser.add_argument("--page", type=Path, help="where the page is written, instead of standard output")
    options = parser.parse_args()
    given = {name: value for name in ("counts", "mebibytes", "files") if (value := getattr(options, name))}
    sizes = dataclasses.replace(SMALL if options.small else FULL, **given)
    terms = Terms(options.rounds or sizes.rounds, options.limit or sizes.limit)
    with tempfile.TemporaryDirectory(prefix="pivot-bench-", dir=options.folder) as name:
        contestants, versions = enter(options.tools, Path(name))
        sections = measure_all(options.workloads, contestants, sizes, terms, Path(name))
        results = kept.add(options.results, sections, versions)
    text = page(head(results.versions), results.sections)
    if options.page:
        options.page.write_text(text)
    else:
        sys.stdout.write(text)


def enter(tools: list[str], folder: Path) -> tuple[list[Contestant], dict[str, str]]:
    """The tools that install, each in a place of its own, and their versions."""
    shared = install("commands", ())
    contestants, versions = [], {}
    for peer in PEERS:
        if peer.name.lower() not in tools:
            continue
        try:
            programs = install(peer.name.lower(), peer.packages) if peer.packages else shared
        except NotInstalled as why:
            say(f"{peer.name} is left out, since it does not install: {why}")
            continue
        contestants.append(Contestant(peer, make_place(programs, str(shared / "python"), folder / peer.name)))
        versions[peer.name] = version(peer, programs)
    return contestants, versions


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


if __name__ == "__main__":
    main()
