"""doit: a task a step, whose action is the Python function."""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import CODE, Project

DODO = """\
from pathlib import Path

import work

STEPS = {steps!r}


def task_step():
    for name, out, deps in STEPS:
        yield {{
            "name": name,
            "actions": [(getattr(work, name), [Path(out), *map(Path, deps)])],
            "file_dep": [*{code!r}, *deps],
            "targets": [out],
        }}
"""


def write(project: Project, folder: Path, python: str) -> None:
    del python
    steps = [(step.name, step.out, list(step.deps)) for step in project.steps]
    (folder / "dodo.py").write_text(DODO.format(steps=steps, code=CODE))


PEER = Peer(
    name="doit",
    distribution="doit",
    packages=("doit",),
    write=write,
    run=("doit", "run", "--verbosity=0", "--reporter=zero"),
    ignored=("out/", ".doit.db*"),
    remark="a task a step, in its own process one after another; all files of code are listed as `file_dep` by hand",
)
