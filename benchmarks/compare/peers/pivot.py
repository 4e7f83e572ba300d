"""git pivot: a stage a step."""

from __future__ import annotations

from pathlib import Path as FilePath

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import Project, Step

HEAD = """\
from pathlib import Path
from typing import Annotated

import pivot

import work

pipeline = pivot.Pipeline("bench")
PATH = pivot.loaders.PathOnly()
"""
STAGE = """

@pipeline.register
def {name}({parameters}) -> Annotated[Path, pivot.Out("{out}", PATH)]:
    out = Path("{out}")
    work.{name}(out, {arguments})
    return out
"""


def write(project: Project, folder: FilePath, python: str) -> None:
    del python
    stages = [_stage(step, "/" if project.folder else "") for step in project.steps]
    (folder / "pipeline.py").write_text(HEAD + "".join(stages))


def _stage(step: Step, end: str) -> str:
    names = [f"dep_{number}" for number in range(len(step.deps))]
    parameters = [
        f'{name}: Annotated[Path, pivot.Dep("{dep}", PATH)]' for name, dep in zip(names, step.deps, strict=True)
    ]
    return STAGE.format(
        name=step.name, parameters=", ".join(parameters), out=step.out + end, arguments=", ".join(names)
    )


PEER = Peer(
    name="Pivot",
    distribution="git-pivot",
    packages=(".",),
    write=write,
    run=("git-pivot", "repro"),
    restore=("git-pivot", "checkout"),
    hooks=("git-pivot", "hooks", "install"),
    keeps_outputs=True,
    remark="a stage a step, each in a process of its own; code is followed through all modules",
)
