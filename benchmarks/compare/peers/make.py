"""GNU Make: a rule a step."""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import CODE, Project


def write(project: Project, folder: Path, python: str) -> None:
    rules = [f"all: {' '.join(step.out for step in project.steps)}\n"]
    rules += [
        f"{step.out}: {' '.join((*step.deps, *CODE))}\n\t@{python} run.py {step.name} $@ {' '.join(step.deps)}\n"
        for step in project.steps
    ]
    (folder / "Makefile").write_text("\n".join(rules))


PEER = Peer(
    name="Make",
    distribution="",
    packages=(),
    write=write,
    run=("make", "--jobs=2", "--silent"),
    ignored=("out/",),
    remark="a rule with a command line a step; all files of code are listed as prerequisites by hand; by time; two at "
    "a time",
)
