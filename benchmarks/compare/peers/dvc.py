"""DVC: a command line a step, with the files of the code among its dependencies."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import CODE, Project


def write(project: Project, folder: Path, python: str) -> None:
    stages = {
        step.name: {
            "cmd": f"{python} run.py {step.name} {step.out} {' '.join(step.deps)}",
            "deps": [*CODE, *step.deps],
            "outs": [step.out],
        }
        for step in project.steps
    }
    # JSON is YAML.
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}, indent=1))


PEER = Peer(
    name="DVC",
    distribution="dvc",
    packages=("dvc[ssh]",),
    write=write,
    run=("dvc", "repro", "--quiet"),
    restore=("dvc", "checkout", "--quiet"),
    start=(
        ("dvc", "init", "--quiet"),
        ("dvc", "config", "core.analytics", "false"),
        ("dvc", "config", "core.check_update", "false"),
    ),
    hooks=("dvc", "install"),
    keeps_outputs=True,
    remark="a command line a step; all files of code are listed as dependencies by hand; one step at a time",
)
