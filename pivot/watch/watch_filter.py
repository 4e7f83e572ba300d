"""What a save may matter to: which paths are watched, and which changes of them start a plan."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from pivot.code.analysis.cache import held_evidence
from pivot.code.discovery.search import Discovery
from pivot.code.evidence import Evidence
from pivot.git.plumbing.config import SHARED_FILE
from pivot.plan.planner import Planner
from pivot.project import Project

Kind = Literal["added", "modified", "deleted"]
Names = Mapping[str, frozenset[str] | None]

# What editors, file managers and ourselves put beside a file for a moment.
_PASSING = re.compile(
    r"~$|^\.#|^#.*#$|\.sw[a-z]$|\.swpx$|^4913$|\.tmp$|\.bak$|___jb_\w+___$|^\.goutputstream-|\.kate-swp$|\.crswap$"
    r"|^\.~lock\.|\.py[co]$|^\.pivot-tmp-|^\.DS_Store$|^__pycache__$"
)
_CODE = (".py", ".so", ".pyd", ".toml", ".yaml", ".yml", ".json", ".ini", ".cfg")


class WatchScope(Struct, frozen=True):
    """Absolute paths. `files` matter by themselves, `deps` with all that is in them, `outputs` and what is in them
    never. `names` are folders in which the coming and going of certain stems matters (None: of any).

    `pipelines` are the pipeline files known; with `unread`, what some of them import is not known.
    """

    root: str
    git_dir: str
    discovery: Discovery
    files: frozenset[str] = frozenset()
    deps: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    names: Names = field(default_factory=dict)
    pipelines: tuple[str, ...] = ()
    unread: bool = True

    def matters(self, kind: Kind, path: str) -> bool:
        """Whether a change of a path is a reason to plan again."""
        if path.startswith(self.git_dir + os.sep):
            return path == f"{self.git_dir}/HEAD"
        if _within(path, self.outputs):
            return False
        if path in self.files or path in self.deps:
            return True
        folder, _, name = path.rpartition("/")
        if _PASSING.search(name):
            return False
        if _within(path, self.deps) or (kind != "modified" and (self._named(folder, name) or self._holds(path))):
            return True
        return self.unread and self._may_be_code(path)

    def may_hold_pipeline(self, kind: Kind, path: str) -> bool:
        """Whether the list of pipelines may have become another one."""
        name = path.rpartition("/")[2]
        if path.startswith(self.git_dir + os.sep) or _within(path, self.outputs) or _PASSING.search(name):
            return False
        if name.endswith(".py") or name in ("pyproject.toml", ".gitignore"):
            return True
        return kind == "added" and os.path.isdir(path)  # noqa: PTH112

    def folders(self) -> frozenset[str]:
        """What is watched, each without what is below it; those that are not there have a parent that is."""
        wanted = {folder for folder in self.discovery.folders() if not _within(folder, self.outputs)}
        wanted |= {self.git_dir, *self.names, *_below(self.deps)}
        wanted |= {path.rpartition("/")[0] for path in (*self.files, *self.deps)}
        there = {_nearest(folder) for folder in wanted if not _within(folder, self.outputs)}
        return frozenset(folder for folder in there if folder and os.access(folder, os.R_OK | os.X_OK))

    def _named(self, folder: str, name: str) -> bool:
        if folder not in self.names:
            return False
        stems = self.names[folder]
        return stems is None or name.partition(".")[0] in stems

    def _holds(self, path: str) -> bool:
        """Whether something that matters lies, or lay, in a folder."""
        return any(known.startswith(path + "/") for known in (*self.files, *self.deps, *self.names))

    def _may_be_code(self, path: str) -> bool:
        inside = path.removeprefix(self.root + "/")
        return inside != path and path.endswith(_CODE) and not inside.startswith(".") and "/." not in inside


def first_scope(project: Project) -> WatchScope:
    """Before anything is known: any code may matter."""
    return WatchScope(str(project.root), str(project.location.git_dir), project.discovery)


def scope_of(project: Project, cache: Path, planner: Planner, failed: Iterable[str]) -> WatchScope:
    """What matters to a plan; `cache` is where its analyses are kept, `failed` are pipeline files without one."""
    root = str(project.root)
    pipelines = project.discovery.pipelines()
    held = {file: held_evidence(cache, project.root, file) for file in pipelines}
    specs = [stage.spec for stage in planner.stages.values()]
    files = {f"{root}/{file}" for file in pipelines} | {f"{root}/pyproject.toml", f"{root}/{SHARED_FILE}"}
    names: dict[str, frozenset[str] | None] = {}
    for evidence in filter(None, held.values()):
        files |= evidence.files.keys()
        names.update(_names(evidence, names))
    files |= {f"{root}/{file}" for file in planner.files()}
    outside = {path for spec in specs for path in spec.external_paths() if path.startswith("/")}
    return WatchScope(
        root,
        str(project.location.git_dir),
        project.discovery,
        frozenset(files),
        frozenset({f"{root}/{path}" for spec in specs for path in spec.dep_paths()} | outside),
        frozenset(f"{root}/{path}" for spec in specs for path in spec.out_paths()),
        names,
        tuple(pipelines),
        unread=bool(list(failed)) or not all(held.values()),
    )


def _names(
    evidence: Evidence, known: Mapping[str, frozenset[str] | None]
) -> Iterator[tuple[str, frozenset[str] | None]]:
    for folder, seen in evidence.folders.items():
        before = known.get(folder, frozenset())
        yield folder, None if seen.names is None or before is None else before | frozenset(seen.names)


def _within(path: str, known: frozenset[str]) -> bool:
    """Whether a path, or a folder that it stands in, is known."""
    while path:
        if path in known:
            return True
        path = path.rpartition("/")[0]
    return False


def _below(paths: Iterable[str]) -> Iterator[str]:
    """Those of these paths that are folders, with all folders in them."""
    for path in paths:
        yield from (folder for folder, _, _ in os.walk(path))


def _nearest(folder: str) -> str:
    """A folder, or the nearest one above it that is there."""
    while folder and not os.path.isdir(folder):  # noqa: PTH112
        folder = folder.rpartition("/")[0]
    return folder
