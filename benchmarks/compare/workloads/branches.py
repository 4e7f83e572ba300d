"""A switch of branches after which the outputs are those of the branch: by hooks, where a tool has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.compare.contestant import Contestant
from benchmarks.compare.peer import commit
from benchmarks.compare.project import Project, wide
from benchmarks.compare.race import Finding, Leg, Legs, Section, Terms, race
from benchmarks.ratios import Workload

EDIT = 7  # on the other branch


def branch_switch(contestants: Sequence[Contestant], count: int, terms: Terms, folder: Path) -> Iterator[Section]:
    project = wide(count)
    about = (
        "The branches differ in the helper of one step, and both have been run. Pivot and DVC have their hooks "
        "installed, so it is `git switch` alone; the others run after the switch."
    )
    rows = race({"git switch": _floor(contestants[0], project)}, _named(contestants, project), terms)
    del folder
    yield Section(f"Switch of branches, {count} steps", about, rows)


def _named(contestants: Sequence[Contestant], project: Project) -> dict[str, Legs]:
    return {contestant.peer.name: _legs(contestant, project) for contestant in contestants}


def _legs(contestant: Contestant, project: Project) -> Legs:
    place, peer = contestant.place, contestant.peer

    def switch(branch: str, edit: int) -> Leg:
        words = f"git switch --quiet {branch}" + ("" if peer.hooks else f" && {' '.join(peer.run)}")

        def look() -> Finding:
            return Finding(project.is_right(place.project, edit), place.take_log(), 0)

        return Leg("switch", place.workload(f"{peer.name}, switch to {branch}", ["sh", "-c", words]), look)

    def one_round(number: int) -> Iterator[Leg]:
        if number == 1:
            _two_branches(contestant, project)
        yield switch("main", 0)
        yield switch("other", EDIT)

    return one_round


def _two_branches(contestant: Contestant, project: Project) -> None:
    """Both branches run and committed; the other one stands in the work tree."""
    place, peer = contestant.place, contestant.peer
    contestant.begin(project)
    if peer.hooks:
        place.do(peer.hooks)
    contestant.run()
    commit(place)
    place.do(["git", "switch", "--quiet", "--create", "other"])
    project.edit(place.project, EDIT)
    contestant.run()
    commit(place)
    contestant.settle()


def _floor(contestant: Contestant, project: Project) -> Legs:
    """The same files, without a tool."""
    place = contestant.place

    def one_round(number: int) -> Iterator[Leg]:
        contestant.begin(project)
        place.do(["git", "switch", "--quiet", "--create", "other"])
        project.edit(place.project, number)
        commit(place)
        yield Leg("switch", Workload("git switch", ["git", "switch", "--quiet", "main"], place.project))

    return one_round
