"""Many steps that do next to nothing: side by side, one after another, and with a heavy import."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare.contestant import Contestant, cold_nothing
from benchmarks.compare.project import Project, chain, wide
from benchmarks.compare.race import Leg, Legs, Row, Section, Terms, race
from benchmarks.ratios import Workload

GROWTH = 10  # from one size to the next


@dataclass(frozen=True, slots=True)
class Floor:
    """The Python that does the same without a tool, and a folder for it."""

    python: str
    folder: Path


def many_stages(
    contestants: Sequence[Contestant], counts: Sequence[int], terms: Terms, folder: Path
) -> Iterator[Section]:
    """Both shapes in growing sizes; a tool whose next size would take over the limit is left out of it, and named."""
    floor = Floor(contestants[0].place.python, folder)
    for shape, make in (("side by side", wide), ("one after another", chain)):
        taking_part = list(contestants)
        left_out: list[Row] = []
        for fewer, count in enumerate(counts):
            project = make(count)
            needed = 1 if shape == "side by side" else count - count // 2
            reached = "one step" if needed == 1 else f"{needed} steps"
            rows = compare_runs(taking_part, project, needed, terms.with_fewer(fewer), floor)
            yield Section(
                f"{count:,} steps {shape}",
                f"The edit of a helper two modules away reaches {reached}.",
                rows + left_out,
                count,
            )
            slow = {row.contestant for row in rows if row.note or row.samples[-1].wall * GROWTH > terms.limit}
            left_out += [
                Row("first run", one.peer.name, False, note=f"left out: more than {terms.limit:g} s")
                for one in taking_part
                if one.peer.name in slow
            ]
            taking_part = [one for one in taking_part if one.peer.name not in slow]


def heavy_import(
    contestants: Sequence[Contestant], count: int, library: str, terms: Terms, folder: Path
) -> Iterator[Section]:
    floor = Floor(contestants[0].place.python, folder)
    rows = compare_runs(contestants, wide(count, library), 1, terms, floor)
    yield Section(f"{count:,} steps, {library} imported", "The edit reaches one step.", rows, count)


def compare_runs(
    contestants: Sequence[Contestant], project: Project, needed: int, terms: Terms, floor: Floor
) -> list[Row]:
    def legs(contestant: Contestant) -> Legs:
        def one_round(number: int) -> Iterator[Leg]:
            yield from cold_nothing(contestant, project, 0)
            project.edit(contestant.place.project, number)
            yield contestant.leg("helper edited", project, number, needed)

        return one_round

    named = {contestant.peer.name: legs(contestant) for contestant in contestants}
    return race(_floors(project, needed, floor), named, terms)


def _floors(project: Project, needed: int, floor: Floor) -> dict[str, Legs]:
    """One bare Python that calls the same functions, and one that does nothing."""
    python, folder = floor.python, floor.folder
    bare, few = folder / "bare", folder / "few"
    for path, part in ((bare, project.steps), (few, project.steps[-needed:])):
        path.mkdir(exist_ok=True)
        Project(part, project.is_right, imports=project.imports).write(path, folder / "ran by floors")

    def calls(name: str, operation: str, path: Path) -> Leg:
        shutil.rmtree(path / "out", ignore_errors=True)
        if path == few:
            _give_inputs(project, needed, path)
        return Leg(operation, Workload(name, [python, "bare.py"], path))

    def one_process(number: int) -> Iterator[Leg]:
        del number
        yield calls("bare Python", "first run", bare)
        yield Leg("nothing to do", Workload("bare Python", [python, "-c", "pass"], bare))
        yield calls("bare Python", "helper edited", few)

    return {"bare Python": one_process}


def _give_inputs(project: Project, needed: int, path: Path) -> None:
    """What the first of these steps reads, if it is the output of another."""
    for dep in project.steps[-needed].deps:
        if dep.startswith("out/"):
            (path / "out").mkdir(exist_ok=True)
            (path / dep).write_text("0\n")
