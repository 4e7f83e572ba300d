"""Open a pipeline file: import it and name its live stages, without a look at their code."""

from __future__ import annotations

import os
import time
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from pivot.code.discovery.pipeline_files import is_pipeline_file, shares_folder
from pivot.code.importing.bytecode_cache import Compiled
from pivot.code.importing.import_pipeline import import_file, import_paths, no_collection, quiet
from pivot.code.importing.import_tracer import ImportTracer
from pivot.code.importing.project_files import ProjectFiles
from pivot.code.importing.source_importer import SourceImporter
from pivot.errors import PipelineError
from pivot.pipeline.overrides import Given, apply_given, is_foreign
from pivot.pipeline.params_file import ParamsFile, read_params_file
from pivot.pipeline.spec import name_prefix


class Imported(Struct, frozen=True):
    """What the import left behind; `environment` is as it was before."""

    root: Path
    file: str
    module: types.ModuleType
    importer: SourceImporter
    watch: ImportTracer
    params: ParamsFile
    made: int
    environment: dict[str, str]


def open_pipeline(
    root: Path, file: str, given: Sequence[Given] = (), cache: Path | None = None, outside: str = "count"
) -> tuple[Imported, dict[str, Any]]:
    """Import a pipeline file without looking at its code; its live stages by name, with the parameters given for them.

    With a `cache`, a module that is there as it was is not compiled again; `outside` is `pivot.outsideCode`.

    Raises:
        CodeError: the import failed.
        PipelineError: what is given does not fit.
    """
    made, environment = time.time_ns(), dict(os.environ)
    path = root / file
    params = read_params_file(path.parent)  # before the import, which may put a `yaml` of its own in front
    files = ProjectFiles(root, outside)
    compiled = Compiled.of(cache, root, file) if cache else Compiled()
    importer, watch = SourceImporter(files, compiled), ImportTracer(files)
    importer.install(import_paths(path, root))
    with no_collection(), quiet(), watch.watching():
        module = import_file(path, importer)
    importer.variables_set = frozenset(watch.variables_set)
    imported = Imported(root, file, module, importer, watch, params, made, environment)
    return imported, _with_params(imported, _stages(imported), given)


def _with_params(imported: Imported, live: dict[str, Any], given: Sequence[Given]) -> dict[str, Any]:
    prefix = name_prefix(imported.file)
    params = ParamsFile({}, {}) if foreign_params(imported, live) else imported.params
    found: dict[str, Any] = apply_given(live, params, given, folder=prefix, alone=_is_alone(imported))
    return found


def foreign_params(imported: Imported, live: Iterable[str]) -> bool:
    """Whether the params file beside the pipeline is another tool's."""
    names = [name.removeprefix(name_prefix(imported.file)) for name in live]
    return is_foreign(imported.params, names) and _is_alone(imported)


def _is_alone(imported: Imported) -> bool:
    """Whether no other pipeline file shares the params file, if there is one."""
    return not imported.params.stages or not shares_folder(imported.root, imported.file)


def _stages(imported: Imported) -> dict[str, Any]:
    """The live stages by name in the repository: `name`, `folder/name`, or `pipeline:name` where two share one."""
    pipelines = _pipelines(imported)
    count: dict[str, int] = {}
    for pipeline in pipelines:
        for stage in pipeline.stages:
            count[stage.name] = count.get(stage.name, 0) + 1
    prefix = name_prefix(imported.file)
    found = {}
    for pipeline in pipelines:
        for stage in pipeline.stages:
            name = stage.name if count[stage.name] == 1 else f"{pipeline.name}:{stage.name}"
            found[prefix + name] = stage
    return found


def _pipelines(imported: Imported) -> list[Any]:
    """The pipelines of the file, without those that another one includes, or that another pipeline file has.

    Raises:
        PipelineError: two have one name.
    """
    found: list[Any] = []
    for value in vars(imported.module).values():
        if _is_pipeline(value) and not any(value is known for known in found) and not _is_borrowed(imported, value):
            found.append(value)
    included = {id(below) for one in found for below in one.included}
    kept: dict[str, Any] = {}
    for one in found:
        if id(one) in included:
            continue
        if (other := kept.setdefault(one.name, one)) is not one:
            raise PipelineError(
                f"two pipelines of this file are called `{one.name}`",
                where=one.line.text,
                hint=f"The other is made at {other.line.text}. Give one another name.",
            )
    return list(kept.values())


def _is_borrowed(imported: Imported, pipeline: Any) -> bool:
    """Whether the file has imported a pipeline that another pipeline file makes."""
    file = imported.importer.files.relative(pipeline.file)
    return not os.path.isabs(file) and file != imported.file and is_pipeline_file(imported.root, file)  # noqa: PTH117


def _is_pipeline(value: object) -> bool:
    return any(kind.__name__ == "Pipeline" and hasattr(kind, "stages") for kind in type(value).__mro__)
