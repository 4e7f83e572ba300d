"""redun: one task, called for each step."""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import DATA, Project

WORKFLOW = """\
import pathlib

from redun import File, task

import work

redun_namespace = "bench"
STEPS = {steps!r}


@task()
def step(name: str, out: str, deps: list[File]) -> File:
    getattr(work, name)(pathlib.Path(out), *(pathlib.Path(dep.path) for dep in deps))
    return File(out)


@task()
def collect(files: list[File]) -> int:
    return len(files)


@task()
def main(data: File = File({data!r})):
    made = {{{data!r}: data}}
    for name, out, deps in STEPS:
        made[out] = step(name, out, [made[dep] for dep in deps])
    return collect(list(made.values()))
"""


def write(project: Project, folder: Path, python: str) -> None:
    del python
    steps = [(step.name, step.out, list(step.deps)) for step in project.steps]
    (folder / "workflow.py").write_text(WORKFLOW.format(steps=steps, data=DATA))


PEER = Peer(
    name="redun",
    distribution="redun",
    packages=("redun",),
    write=write,
    run=("redun", "run", "workflow.py", "main"),
    ignored=("out/", ".redun/"),
    remark="one task called for each step, in threads of its own process; the source of the task is what it watches",
)
