"""What a stage declares, as plain frozen data that crosses processes and is stored.

The live counterpart (functions, loaders) is `pivot.pipeline.stage`; nothing here holds user objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

ArtifactKind = Literal["dep", "external", "out", "directory", "incremental", "metric", "plot"]
Shape = Literal["one", "list", "tuple", "dict"]

Written = Literal["file", "directory", "either"]

PIPELINE_FILE = "pipeline.py"
PACKAGE_FILE = "__init__.py"

# Loaders that write one file; `PathOnly` and loaders of the user's may write a directory as well.
FILE_LOADERS = (
    "JSON", "JSONLines", "YAML", "TOML", "CSV", "Text", "Bytes", "Pickle", "Parquet", "Feather", "Numpy", "Image",
    "Matplotlib",
)  # fmt: skip
_FILE_LOADER = re.compile(rf"(?:(?:{'|'.join(FILE_LOADERS)})\([^()]*\)(?:, |$))+")
_MODES: Mapping[Written, tuple[int, ...]] = {
    "file": (0o100644, 0o100755),
    "directory": (0o040000,),
    "either": (0o100644, 0o100755, 0o120000, 0o040000),
}


class Location(Struct, frozen=True):
    """A line of the user's code: repository-relative POSIX path (absolute outside the repository), 1-based line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class ArtifactSpec(Struct, frozen=True):
    """One declared input or output.

    `paths` are repository-relative POSIX paths without a trailing slash (absolute paths or URLs for `external`);
    exactly one unless `shape` says list, tuple or dict. `flags` is sorted: `no-cache`, `keep`, `optional`;
    a dict of inputs has `each <keys as JSON>`.
    `loader` describes the loader and its settings, such as `CSV(sep=';')`; the code of a custom loader is in the
    stage's manifest.
    """

    key: str
    kind: ArtifactKind
    paths: tuple[str, ...]
    shape: Shape
    flags: tuple[str, ...]
    loader: str
    where: Location

    @property
    def written(self) -> Written:
        """What an output's paths hold when the stage has written them, as far as the declaration says."""
        if self.loader == "PathOnly()":
            return "either"
        if self.kind == "directory":
            return "directory"
        return "file" if _FILE_LOADER.fullmatch(self.loader) else "either"


class Policy(Struct, frozen=True):
    """How a stage is to be run; never part of its fingerprint.

    `resources` are amounts by name (lower case, `_` for `-`), `mutex` is sorted, `timeout` is in seconds.
    """

    resources: dict[str, float] = field(default_factory=dict)
    mutex: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int = 0
    priority: int = 0


class StageSpec(Struct, frozen=True):
    """One stage as its pipeline file declares it.

    `name` is unique in the repository. `root` is the repository-relative working directory ("" = repository root).
    `params` holds JSON values only. `origin` is the file that made the stage's pipeline, which is another than `file`
    where the pipeline was included.
    """

    name: str
    pipeline: str
    file: str
    root: str
    function: str
    where: Location
    deps: tuple[ArtifactSpec, ...]
    outs: tuple[ArtifactSpec, ...]
    params: dict[str, Any] = field(default_factory=dict)
    frozen: bool = False
    always: bool = False
    policy: Policy = field(default_factory=Policy)
    origin: str = ""

    @property
    def prefix(self) -> str:
        """What stands in front of the name that the stage has in its file."""
        return name_prefix(self.file)

    def dep_paths(self) -> list[str]:
        """Paths in the repository that the fingerprint covers; an incremental output's previous version is not one."""
        return [path for dep in self.deps if dep.kind == "dep" for path in dep.paths]

    def external_paths(self) -> list[str]:
        return [path for dep in self.deps if dep.kind == "external" for path in dep.paths]

    def out_paths(self) -> list[str]:
        return [path for out in self.outs for path in out.paths]

    def writes(self, modes: Mapping[str, int]) -> bool:
        """Whether a result with these Git modes by output path has what this stage declares, and nothing else."""
        declared = {path: out for out in self.outs for path in out.paths}
        needed = {path for path, out in declared.items() if "optional" not in out.flags}
        if not needed <= modes.keys() <= declared.keys():
            return False
        return all(mode in _MODES[declared[path].written] for path, mode in modes.items())


def name_prefix(file: str) -> str:
    """What stands in front of the names of a pipeline file's stages: its place in the repository.

    `train` of `sub/pipeline.py`, or of the package `sub`, is `sub/train`; of `sub/flow.py` it is `sub/flow/train`.
    """
    folder, _, name = file.rpartition("/")
    own = "" if name in (PIPELINE_FILE, PACKAGE_FILE) else name.removesuffix(".py")
    return "".join(f"{part}/" for part in (folder, own) if part)
