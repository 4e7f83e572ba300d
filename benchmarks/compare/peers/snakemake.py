"""Snakemake: one rule for all steps, with a wildcard."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.compare.peer import Peer
from benchmarks.compare.project import CODE, Project

SNAKEFILE = """\
DEPS = {deps}

rule all:
    input: expand("out/{{name}}", name=DEPS)

rule step:
    input:
        code={code},
        data=lambda wildcards: DEPS[wildcards.name],
    output: {output}
    shell: "{python} run.py {{wildcards.name}} {{output}} {{input.data}}"
"""


def write(project: Project, folder: Path, python: str) -> None:
    deps = json.dumps({step.name: list(step.deps) for step in project.steps})
    output = 'directory("out/{name}")' if project.folder else '"out/{name}"'
    text = SNAKEFILE.format(deps=deps, code=json.dumps(CODE).replace("(", "["), output=output, python=python)
    (folder / "Snakefile").write_text(text)


PEER = Peer(
    name="Snakemake",
    distribution="snakemake",
    packages=("snakemake",),
    write=write,
    run=("snakemake", "--cores", "2", "--quiet", "all"),
    ignored=("out/", ".snakemake/"),
    remark="one rule with a wildcard and a command line; all files of code are listed as input by hand; two at a time",
)
