"""The stages that an analysis found and their parameters, by name, for completion: readable without an analysis.

Where: `<cache>/names/<digest>`, named as the analysis is; format: the absolute path of the pipeline file, then a line
for each stage with its name and those of its parameters, tabs between them.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def write_names(cache: str, digest: str, pipeline: str, params: Mapping[str, Iterable[str]]) -> None:
    """Keep the stages and their parameters; a folder that cannot be written costs a completion, nothing else."""
    try:
        os.makedirs(f"{cache}/names", exist_ok=True)
        with open(f"{cache}/names/{digest}", "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("\n".join([pipeline, *("\t".join([stage, *names]) for stage, names in params.items()), ""]))
    except OSError:
        return


def read_names(cache: str) -> dict[str, list[str]]:
    """The stages of every pipeline that is still there, with their parameters, in no more order than the disk has."""
    found: dict[str, list[str]] = {}
    for path in _files(f"{cache}/names"):
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            pipeline, *lines = file.read().splitlines() or [""]
        if os.path.exists(pipeline):
            found |= {stage: params for stage, *params in (line.split("\t") for line in lines)}
    return found


def _files(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder)]
    except OSError:
        return []
