"""Import a pipeline file, in a process made for it, and turn its stages into plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from pivot.code.analysis.collect_evidence import gather, volatile_remarks
from pivot.code.analysis.model import AnalysedStage, PipelineModel
from pivot.code.analysis.unstable_values import unstable_keys
from pivot.code.evidence import Evidence
from pivot.code.graph.manifest import Remark
from pivot.code.graph.nodes import Node, SourcePlace, manifest_of
from pivot.code.importing.import_pipeline import no_collection
from pivot.code.importing.open_pipeline import Imported, foreign_params, open_pipeline
from pivot.code.importing.packages import imported_packages
from pivot.code.importing.project_files import OUTSIDE
from pivot.code.lookup.modules import Modules
from pivot.code.lookup.targets import LiveObject
from pivot.code.walk.live_entries import Walker
from pivot.code.walk.param_defaults import asks_for_types
from pivot.pipeline.overrides import Given


class Analysis(Struct, frozen=True):
    """A pipeline file: its model, the live stage of each name, and what the analysis stands on."""

    model: PipelineModel
    live: dict[str, Any]
    evidence: Evidence


def analyse(root: Path, file: str, given: Sequence[Given] = (), cache: Path | None = None) -> Analysis:
    """Import `file` (relative to the repository `root`) and walk the code of its stages.

    `given` are parameters that the user gave for this command, `cache` is where compiled modules are kept.

    Call it once, in a fresh process: it takes over the import system.

    Raises:
        CodeError: the import failed; carries the user's own traceback.
        PivotError: what the user's code declares is wrong.
    """
    return examine(*open_pipeline(root, file, given, cache))


def examine(imported: Imported, live: dict[str, Any]) -> Analysis:
    """Walk the code of the stages of a pipeline file that has been imported.

    Raises:
        PivotError: what the user's code declares is wrong.
    """
    with no_collection():
        walked = walk(imported, live)
        walked.walker.replace_unstable(unstable_keys(walked.walker, imported))
        analysis = finish(walked)
        imported.importer.compiled.keep()
        for source in imported.importer.by_path.values():
            source.forget_tree()
        return analysis


class Walked(Struct, frozen=True):
    """The entry graph of all stages of an import."""

    imported: Imported
    walker: Walker
    live: dict[str, Any]
    roots: dict[str, EntryRoot]


def walk(imported: Imported, live: dict[str, Any]) -> Walked:
    """Walk the code of all stages of an import, values not judged yet."""
    with no_collection():
        walker = Walker(Modules(imported.importer))
        roots = {name: _root(walker, stage) for name, stage in live.items()}
        walker.drain()
        walker.hung  # noqa: B018 (made here, so that values in it are judged)
        walker.refer_held()
    return Walked(imported, walker, live, roots)


def finish(walked: Walked) -> Analysis:
    """The model of what has been walked, every value taken as it is."""
    imported, walker = walked.imported, walked.walker
    asking: dict[Node, bool] = {}
    tops = {name: _top(walker, root, asking) for name, root in walked.roots.items()}
    hung = walker.hung
    remarks = {key: tuple(told) for key, told in walker.remarks.items()}
    stages = []
    for name, stage in walked.live.items():
        said = f"{stage.params!r} {stage.untold!r}" if hung else ""
        manifest = manifest_of(tops[name], remarks, walker.whole_digest, hung, said)
        stages.append(AnalysedStage(stage.to_spec(imported.root, imported.file, name), manifest, manifest.digest()))
    model = PipelineModel(
        imported.file,
        tuple(stages),
        (*volatile_remarks(imported), *_params_remarks(imported, walked.live), *_outside_remarks(imported, stages)),
        imported_packages(imported.importer.by_path.values()),
        dict(sorted(imported.watch.environment.items())),
    )
    outputs = [path for stage in stages for path in stage.spec.out_paths()]
    return Analysis(model, walked.live, gather(imported, walker.modules, outputs))


def _params_remarks(imported: Imported, live: Iterable[str]) -> Iterator[Remark]:
    if foreign_params(imported, live):
        read = (path for path, data in imported.params.read.items() if data is not None)
        file = imported.importer.files.relative(next(read))
        yield Remark("unused", "params", file, 1, f"no key in it is the name of a stage of {imported.file}")


def _outside_remarks(imported: Imported, stages: Iterable[AnalysedStage]) -> Iterator[Remark]:
    """With `pivot.outsideCode = warn`: the packages and modules outside the repository that stages reach."""
    if imported.importer.files.outside == "warn":
        entries = (entry for stage in stages for entry in stage.manifest.entries if entry.file.startswith(OUTSIDE))
        first = {entry.file.removeprefix(OUTSIDE).partition("/")[0]: entry.file for entry in entries}
        for name, file in sorted(first.items()):
            yield Remark(
                "outside", name.removesuffix(".py"), file, 1, "it is code that no commit of this repository holds"
            )


class EntryRoot(Struct, frozen=True):
    """The entry of a stage's function, and what its declaration reaches beside it.

    `params` is its parameter class with the defaults, without which it is declared.
    """

    function: Node
    declared: tuple[tuple[str, Node], ...]
    params: Node | str = ""

    def with_defaults(self) -> EntryRoot:
        """For code that may get at the class of its parameters without naming it."""
        held = (("params", self.params),) if isinstance(self.params, Node) else ()
        return EntryRoot(self.function, (*(one for one in self.declared if one[0] != "params"), *held))


def _root(walker: Walker, stage: Any) -> EntryRoot:
    place = SourcePlace("", 0)
    function = walker.target(LiveObject(stage.function, None, stage.name), place)
    if isinstance(function, str):
        node = Node(f"func:{stage.name}", f"func:{stage.name}", place)
        node.text(function)
        function = node
    declared = []
    for key, loader in sorted(stage.loaders.items()):
        for number, one in enumerate(loader if isinstance(loader, list | tuple) else [loader]):
            if walker.owns_class(type(one)) or (isinstance(one, type) and walker.owns_class(one)):
                label = f"loader:{key}" + (f":{number}" if number else "")
                declared.append((label, walker.target(LiveObject(one, None, label), place)))
    params: Node | str = ""
    if stage.params is not None:
        declared.append(("params", walker.class_of(type(stage.params), valued=True)))
        params = walker.class_of(type(stage.params))
    beside = SourcePlace(function.place.file, function.place.line)
    for name, value in sorted(stage.untold.items()):
        declared.append((f"value:{name}", walker.target(LiveObject(value, None, name), beside)))
    nodes = tuple((label, target) for label, target in declared if not isinstance(target, str))
    return EntryRoot(function, nodes, params)


def _top(walker: Walker, root: EntryRoot, asking: dict[Node, bool]) -> Node:
    top = _with_loaders(walker, root)
    if isinstance(root.params, Node) and asks_for_types(top, asking):
        return _with_loaders(walker, root.with_defaults())
    return top


def _with_loaders(walker: Walker, root: EntryRoot) -> Node:
    """The root entry of a stage: the function's own, with an edge for each declaration."""
    if not root.declared:
        return root.function
    node = Node(root.function.name, root.function.qualname, root.function.place)
    node.tokens = list(root.function.tokens)
    node.edges = list(root.function.edges)
    node.hints, node.passing = root.function.hints, root.function.passing
    node.reads, node.annotations = root.function.reads, root.function.annotations
    for label, target in root.declared:
        node.edge(target, label)
    if root.function in walker.remarks:
        walker.remarks[node] = walker.remarks[root.function]
    return node
