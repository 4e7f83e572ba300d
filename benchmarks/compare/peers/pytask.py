"""pytask: a task function a step, made in a loop."""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import Project

TASKS = """\
import sys
from pathlib import Path
from typing import Annotated

from pytask import DirectoryNode, Product, task

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import work

for name, out, deps in {steps!r}:

    @task(id=name)
    def task_step(
        out: Annotated[Path, {product}] = {default},
        deps: tuple[Path, ...] = tuple(HERE / dep for dep in deps),
        name: str = name,
    ) -> None:
        getattr(work, name)(out, *deps)
"""


def write(project: Project, folder: Path, python: str) -> None:
    del python
    steps = [(step.name, step.out, list(step.deps)) for step in project.steps]
    node = 'DirectoryNode(root_dir=HERE / out, pattern="**/*.*"), Product' if project.folder else "Product"
    text = TASKS.replace(" = {default}", "") if project.folder else TASKS
    (folder / "task_bench.py").write_text(text.format(steps=steps, product=node, default="HERE / out"))


PEER = Peer(
    name="pytask",
    distribution="pytask",
    packages=("pytask",),
    write=write,
    run=("pytask", "build", "--verbose=0"),
    ignored=("out/", ".pytask/"),
    remark="a task function a step, in its own process one after another; the module of the task is what it watches",
)
