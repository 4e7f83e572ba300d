"""Import a pipeline file, in a process made for it, and turn its stages into plain data."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import sys
import time
import traceback
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivot.code.entries import Walker
from pivot.code.discovery import find_pipelines
from pivot.code.evidence import Evidence, FileSeen, FolderSeen, digest_of_bytes, runtime, see_file, see_folder
from pivot.code.loader import SourceImporter
from pivot.code.manifest import Remark
from pivot.code.model import PipelineModel, Stage
from pivot.code.namespaces import Modules
from pivot.code.packages import imported_packages, top_imports
from pivot.code.nodes import Node, Place, manifest_of
from pivot.code.project_files import PACKAGE, ProjectFiles
from pivot.code.resolve import Live
from pivot.code.stability import unstable_keys
from pivot.code.watch import Watch
from pivot.errors import CodeError, PivotError
from pivot.pipeline.given import Given, apply_given
from pivot.pipeline.params_file import ParamsFile, read_params_file


@dataclass(frozen=True, slots=True)
class Analysis:
    """A pipeline file: its model, the live stage of each name, and what the analysis stands on."""

    model: PipelineModel
    live: dict[str, Any]
    evidence: Evidence


def analyse(root: Path, file: str, given: Sequence[Given] = ()) -> Analysis:
    """Import `file` (relative to the repository `root`) and walk the code of its stages.

    `given` are parameters that the user gave for this command.

    Call it once, in a fresh process: it takes over the import system.

    Raises:
        CodeError: the import failed; carries the user's own traceback.
        PivotError: what the user's code declares is wrong.
    """
    environment = dict(os.environ)
    walked = begin(root, file, given)
    with _no_collection():
        walked.walker.replace_unstable(unstable_keys(walked.walker, root, file, environment))
        return finish(walked)


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


@dataclass(frozen=True, slots=True)
class Walked:
    """The entry graph of all stages of an import."""

    imported: Imported
    walker: Walker
    live: dict[str, Any]
    roots: dict[str, Root]


def begin(root: Path, file: str, given: Sequence[Given] = ()) -> Walked:
    """Import a pipeline file and walk the code of its stages.

    Raises:
        CodeError: the import failed.
    """
    with _no_collection():
        imported, live = open_pipeline(root, file, given)
        walker = Walker(Modules(imported.importer))
        roots = {name: _root(walker, stage) for name, stage in live.items()}
        walker.drain()
    return Walked(imported, walker, live, roots)


def finish(walked: Walked) -> Analysis:
    """The model of what has been walked, every value taken as it is."""
    imported, walker = walked.imported, walked.walker
    tops = {name: _with_loaders(walker, root) for name, root in walked.roots.items()}
    remarks = {key: tuple(told) for key, told in walker.remarks.items()}
    stages = []
    for name, stage in walked.live.items():
        manifest = manifest_of(tops[name], remarks)
        stages.append(Stage(stage.to_spec(imported.root, imported.file, name), manifest, manifest.digest()))
    model = PipelineModel(
        imported.file,
        tuple(stages),
        _volatile(imported),
        imported_packages(imported.importer.by_path.values()),
        dict(sorted(imported.watch.environment.items())),
    )
    return Analysis(model, walked.live, gather(imported, walker.modules))


# --- the import


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
    with _quiet(), watch.watching():
        module = _import(path, importer)
    imported = Imported(root, file, module, importer, watch, params, made)
    return imported, _with_params(imported, _stages(imported), given)


def _with_params(imported: Imported, live: dict[str, Any], given: Sequence[Given]) -> dict[str, Any]:
    folder = imported.file.rpartition("/")[0]
    alone = True
    if imported.params.stages:
        alone = sum(file.rpartition("/")[0] == folder for file in find_pipelines(imported.root)) <= 1
    prefix = f"{folder}/" if folder else ""
    found: dict[str, Any] = apply_given(live, imported.params, given, folder=prefix, alone=alone)
    return found


def _import(path: Path, importer: SourceImporter) -> types.ModuleType:
    """Import the pipeline file under its natural name, never as `__main__`."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CodeError("this is no Python file", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    importer.witness.find_spec(path.stem)
    try:
        spec.loader.exec_module(module)
    except PivotError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise CodeError(user_traceback(error)) from None
    return module


def user_traceback(error: BaseException) -> str:
    """The traceback of an import, without the frames of Pivot and of the import system."""
    told = traceback.TracebackException.from_exception(error, compact=True)
    todo: list[Any] = [told]
    while todo:
        one = todo.pop()
        if one is None:
            continue
        kept = [frame for frame in one.stack if not frame.filename.startswith((PACKAGE, "<frozen importlib"))]
        one.stack = traceback.StackSummary.from_list(kept)
        todo += [one.__cause__, one.__context__, *(one.exceptions or ())]
    text = "".join(told.format()).rstrip()
    if isinstance(error, SystemExit):
        text += "\nThe import calls sys.exit; a pipeline file only declares stages."
    return text


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the import prints goes to stderr, whichever way it prints; there is nothing on its stdin."""
    sys.stdout.flush()
    saved = [os.dup(number) for number in (0, 1)]
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # the user may have closed or replaced it
            sys.stdout.flush()
        for number, copy in enumerate(saved):
            os.dup2(copy, number)
            os.close(copy)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Syntax trees are many objects without garbage: collecting doubles the time of parsing (measured)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            # What stands now lives as long as the process; counting it again and again, in every fork, is for nothing.
            gc.freeze()
            gc.enable()


# --- stages


def _stages(imported: Imported) -> dict[str, Any]:
    """The live stages by their names in the repository: `name`, `folder/name`, or `pipeline:name` where two share one."""
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


@dataclass(frozen=True, slots=True)
class Root:
    """The entry of a stage's function, and what its declaration reaches beside it."""

    function: Node
    declared: tuple[tuple[str, Node], ...]


def _root(walker: Walker, stage: Any) -> Root:
    place = Place("", 0)
    function = walker.target(Live(stage.function, None, stage.name), place)
    if isinstance(function, str):
        node = Node(f"func:{stage.name}", f"func:{stage.name}", place)
        node.text(function)
        function = node
    declared = []
    for key, loader in sorted(stage.loaders.items()):
        for number, one in enumerate(loader if isinstance(loader, list | tuple) else [loader]):
            if walker.owns_class(type(one)) or isinstance(one, type) and walker.owns_class(one):
                label = f"loader:{key}" + (f":{number}" if number else "")
                declared.append((label, walker.target(Live(one, None, label), place)))
    if stage.params is not None:
        declared.append(("params", walker.class_of(type(stage.params))))
    nodes = tuple((label, target) for label, target in declared if not isinstance(target, str))
    return Root(function, nodes)


def _with_loaders(walker: Walker, root: Root) -> Node:
    """The root entry of a stage: the function's own, with an edge for each declaration."""
    if not root.declared:
        return root.function
    node = Node(root.function.name, root.function.qualname, root.function.place)
    node.tokens = list(root.function.tokens)
    node.edges = list(root.function.edges)
    for label, target in root.declared:
        node.edge(target, label)
    if id(root.function) in walker.remarks:
        walker.remarks[id(node)] = walker.remarks[id(root.function)]
    return node


# --- what is told beside the stages


def _volatile(imported: Imported) -> tuple[Remark, ...]:
    files = imported.importer.files
    return tuple(
        Remark(
            "untracked",
            Path(path).stem,
            files.relative(path),
            line,
            why,
            "make a stage of it, or do it in the function",
        )
        for (path, line), why in sorted(imported.watch.volatile.items())
    )


def gather(imported: Imported, modules: Modules) -> Evidence:
    """All that this analysis read."""
    importer, watch = imported.importer, imported.watch
    seen: dict[str, FileSeen] = {}
    for path, source in importer.by_path.items():
        seen[path] = see_file(path, digest_of_bytes(source.data))
    for path, data in imported.params.read.items():
        seen[path] = see_file(path, digest_of_bytes(data) if data is not None else "")
    for path in sorted(watch.asked - seen.keys()):
        seen[path] = see_file(path, "")
    for path in sorted(watch.opened):
        if Path(path).is_file() or not Path(path).exists():
            seen[path] = see_file(path)
    folders: dict[str, FolderSeen] = {path: see_folder(path, None) for path in sorted(watch.listed)}
    for path, names in _searched(importer, modules).items():
        folders.setdefault(path, see_folder(path, names))
    for path in sys.path:
        if Path(path).name in ("site-packages", "dist-packages"):
            folders.setdefault(path, see_folder(path, None))
    volatile = next(iter(watch.volatile.values()), "")
    return Evidence(runtime(), imported.made, seen, folders, dict(watch.environment), volatile)


def _searched(importer: SourceImporter, modules: Modules) -> dict[str, set[str]]:
    """Project folder -> the names that an import looked for in it: a new file of such a name may shadow a module."""
    found: dict[str, set[str]] = {}
    names = dict(importer.witness.names)
    imported = {name.partition(".")[0] for source in importer.by_path.values() for name in top_imports(source)}
    for name in modules.looked_up | imported:
        names.setdefault(name, None)
    for name, search in names.items():
        parent, _, last = name.rpartition(".")
        places = search
        if places is None:
            package = sys.modules.get(parent)
            places = tuple(map(str, getattr(package, "__path__", ()))) if parent else tuple(sys.path)
        for place in places:
            if place and importer.files.owns(place + "/."):
                found.setdefault(place, set()).add(last)
    return found
