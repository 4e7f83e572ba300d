"""One large file, and many small ones: kept, looked at again, and brought back after they were deleted."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.compare.contestant import Contestant, cold_nothing
from benchmarks.compare.project import DATA, Project, large, many_files
from benchmarks.compare.race import Leg, Legs, Row, Section, Terms, race
from benchmarks.ratios import Workload

LINKS = {
    "Pivot": ("git", "config", "pivot.link", "hardlink"),
    "DVC": ("dvc", "config", "cache.type", "hardlink"),
}


def large_file(contestants: Sequence[Contestant], mebibytes: int, terms: Terms, folder: Path) -> Iterator[Section]:
    about = (
        "`make it` is a bare Python that writes the file. Deleted outputs are restored by those that keep them, and "
        "made again by the others. Measured as root, for whom Pivot copies unless it is told to link, as DVC does."
    )
    rows = _compare(with_links(contestants), large(mebibytes), terms, folder, ["md5sum", "out/large"])
    yield Section(f"A file of {mebibytes} MiB", about, rows)


def small_files(contestants: Sequence[Contestant], files: int, terms: Terms, folder: Path) -> Iterator[Section]:
    about = "One output folder of random files of 10 KiB. `make it` is a bare Python that writes them."
    read = ["find", "out", "-type", "f", "-exec", "md5sum", "{}", "+"]
    yield Section(f"{files:,} files", about, _compare(contestants, many_files(files), terms, folder, read))


def with_links(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Those that keep outputs take part a second time, set to hard links."""
    found: list[Contestant] = []
    for one in contestants:
        found.append(one)
        if one.peer.name in LINKS:
            linked = dataclasses.replace(
                one.peer, name=f"{one.peer.name}, hard links", start=(*one.peer.start, LINKS[one.peer.name])
            )
            found.append(dataclasses.replace(one, peer=linked))
    return found


def _compare(
    contestants: Sequence[Contestant], project: Project, terms: Terms, folder: Path, read: list[str]
) -> list[Row]:
    def legs(contestant: Contestant) -> Legs:
        def one_round(number: int) -> Iterator[Leg]:
            yield from cold_nothing(contestant, project, number)
            _delete(contestant.place.project / "out")
            peer = contestant.peer
            yield contestant.command("outputs deleted", peer.restore or peer.run, project, number, 0)
            _delete(contestant.place.project)

        return one_round

    named = {contestant.peer.name: legs(contestant) for contestant in contestants}
    return race(_floors(project, contestants[0].place.python, folder, read), named, terms)


def _floors(project: Project, python: str, folder: Path, read: list[str]) -> dict[str, Legs]:
    place = folder / "bare"
    place.mkdir(exist_ok=True)
    project.write(place, folder / "ran by floors")

    def make_it(number: int) -> Iterator[Leg]:
        (place / DATA).write_text(f"{number}\n")
        _delete(place / "out")
        yield Leg("first run", Workload("make it", [python, "bare.py"], place))

    def command(operation: str, name: str, words: list[str]) -> Legs:
        def one_round(number: int) -> Iterator[Leg]:
            del number
            _delete(place / "copy")
            yield Leg(operation, Workload(name, words, place))

        return one_round

    return {
        "make it": make_it,
        "md5sum": command("first run", "md5sum", read),
        "python -c pass": command("nothing to do", "python -c pass", [python, "-c", "pass"]),
        "cp -r": command("outputs deleted", "cp -r", ["cp", "-r", "out", "copy"]),
    }


def _delete(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
