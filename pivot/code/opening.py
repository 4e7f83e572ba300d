"""Open a pipeline file: import it and name its live stages, without a look at their code."""

from __future__ import annotations

import time
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivot.code.discovery import find_pipelines
from pivot.code.importing import import_file, quiet
from pivot.code.loader import SourceImporter
from pivot.code.project_files import ProjectFiles
from pivot.code.watch import Watch
from pivot.pipeline.given import Given, apply_given, is_foreign
from pivot.pipeline.params_file import ParamsFile, read_params_file


@dataclass(frozen=True, slots=True)
class Imported:
    """What the import left behind."""

    root: Path
    file: str
    module: types.ModuleType
    importer: SourceImporter
    watch: Watch
    params: ParamsFile
    made: int


def open_pipeline(root: Path, file: str, given: Sequence[Given] = ()) -> tuple[Imported, dict[str, Any]]:
    """Import a pipeline file without looking at its code; its live stages by name, with the parameters given for them.

    Raises:
        CodeError: the import failed.
        PipelineError: what is given does not fit.
    """
    made = time.time_ns()
    path = root / file
    params = read_params_file(path.parent)  # before the import, which may put a `yaml` of its own in front
    files = ProjectFiles(root)
    importer, watch = SourceImporter(files), Watch(files)
    importer.install(list(dict.fromkeys([path.parent, root])))
    with quiet(), watch.watching():
        module = import_file(path, importer)
    importer.variables_set = frozenset(watch.variables_set)
    imported = Imported(root, file, module, importer, watch, params, made)
    return imported, _with_params(imported, _stages(imported), given)


def _with_params(imported: Imported, live: dict[str, Any], given: Sequence[Given]) -> dict[str, Any]:
    prefix = _folder(imported)
    params = ParamsFile({}, {}) if foreign_params(imported, live) else imported.params
    found: dict[str, Any] = apply_given(live, params, given, folder=prefix, alone=_is_alone(imported))
    return found


def foreign_params(imported: Imported, live: Iterable[str]) -> bool:
    """Whether the params file beside the pipeline is another tool's."""
    names = [name.removeprefix(_folder(imported)) for name in live]
    return is_foreign(imported.params, names) and _is_alone(imported)


def _is_alone(imported: Imported) -> bool:
    """Whether no other pipeline file shares the params file, if there is one."""
    files = find_pipelines(imported.root) if imported.params.stages else []
    return sum(file.rpartition("/")[0] == imported.file.rpartition("/")[0] for file in files) <= 1


def _folder(imported: Imported) -> str:
    """What stands in front of the stages' names."""
    folder = imported.file.rpartition("/")[0]
    return f"{folder}/" if folder else ""


def _stages(imported: Imported) -> dict[str, Any]:
    """The live stages by name in the repository: `name`, `folder/name`, or `pipeline:name` where two share one."""
    pipelines: list[Any] = []
    for value in vars(imported.module).values():
        if _is_pipeline(value) and not any(value is known for known in pipelines):
            pipelines.append(value)
    count: dict[str, int] = {}
    for pipeline in pipelines:
        for stage in pipeline.stages:
            count[stage.name] = count.get(stage.name, 0) + 1
    folder = Path(imported.file).parent.as_posix()
    prefix = "" if folder == "." else folder + "/"
    found = {}
    for pipeline in pipelines:
        for stage in pipeline.stages:
            name = stage.name if count[stage.name] == 1 else f"{pipeline.name}:{stage.name}"
            found[prefix + name] = stage
    return found


def _is_pipeline(value: object) -> bool:
    return any(kind.__name__ == "Pipeline" and hasattr(kind, "stages") for kind in type(value).__mro__)
