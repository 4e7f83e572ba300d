"""The names of the stages that an analysis found, for completion: readable without anything of an analysis.

Where: `<cache>/names/<digest>`, named as the analysis is; format: the absolute path of the pipeline file, then one
name a line.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def write_names(cache: str, digest: str, pipeline: str, names: Iterable[str]) -> None:
    """Keep the names; a folder that cannot be written costs a completion, nothing else."""
    try:
        os.makedirs(f"{cache}/names", exist_ok=True)
        with open(f"{cache}/names/{digest}", "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("\n".join([pipeline, *names, ""]))
    except OSError:
        return


def read_names(cache: str) -> list[str]:
    """The stages of every pipeline that is still there, in no more order than the disk has."""
    found = []
    for path in _files(f"{cache}/names"):
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            pipeline, *names = file.read().splitlines() or [""]
        found += names if os.path.exists(pipeline) else []
    return found


def _files(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder)]
    except OSError:
        return []
