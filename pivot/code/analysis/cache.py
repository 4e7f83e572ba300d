"""The analysis cache: one file for each pipeline file, deletable at any time.

Where: `<cache>/code/<digest of the pipeline file's path>`; it holds plain tuples, no code.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

from pivot.code.analysis.completion_index import write_names
from pivot.code.analysis.model import AnalysedStage, PipelineModel
from pivot.code.cache_file import name_of, read, trace, write
from pivot.code.evidence import Evidence, FileSeen, FolderSeen, changed
from pivot.code.graph.manifest import Entry, Manifest, Remark
from pivot.pipeline.overrides import Given
from pivot.pipeline.spec import ArtifactSpec, Location, Policy, StageSpec

if TYPE_CHECKING:
    from pivot.code.analysis.analyse import Analysis

_FORMAT = "pivot analysis 2"
_GIVEN_KEPT = 10


def analysis_cache(cache_dir: Path, given: Sequence[Given], outside: str = "count") -> Path:
    """The folder to give as `cache_dir`: an analysis with parameters given for one command is no other command's.

    The last few are kept, for those who go back and forth between values.
    """
    cache_dir = cache_dir if outside == "count" else cache_dir / f"outside-{outside}"
    if not given:
        return cache_dir
    folder = cache_dir / "given"
    with contextlib.suppress(OSError):
        for old in sorted(folder.iterdir(), key=lambda path: -path.stat().st_mtime_ns)[_GIVEN_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
    return folder / xxhash.xxh3_128_hexdigest(repr(tuple(given)).encode("utf-8", "surrogateescape"))


def load(cache_dir: Path, root: Path, file: str) -> PipelineModel | None:
    """The model of a pipeline file, if all that it was made from still stands."""
    path = _path(cache_dir, root, file)
    held = _read(path)
    if held is None:
        _miss(file, "there is none that can be read")
        return None
    why = changed(_evidence(held[1]))
    if why:
        _miss(file, f"changed: {why}")
        return None
    trace(f"analysis of {file}: from the cache")
    return _model(held[2])


def last_known(cache_dir: Path, root: Path, file: str) -> tuple[AnalysedStage, ...]:
    """The stages of a pipeline file as its last analysis has them, whatever has changed since."""
    held = _read(_path(cache_dir, root, file))
    return _model(held[2]).stages if held else ()


def check(cache_dir: Path, root: Path, file: str) -> str:
    """What the analysis of a pipeline file stood on and has changed since; empty when it stands."""
    held = _read(_path(cache_dir, root, file))
    if held is None:
        return ""
    evidence = _evidence(held[1])
    return "" if evidence.volatile else changed(evidence)


def standing(cache_dir: Path, root: Path, file: str) -> Evidence | None:
    """What the kept analysis of a pipeline file stands on; None where there is none that can stand for long."""
    evidence = held_evidence(cache_dir, root, file)
    return None if evidence is None or evidence.volatile else evidence


def held_evidence(cache_dir: Path, root: Path, file: str) -> Evidence | None:
    """What the kept analysis of a pipeline file has read, whether or not it can stand."""
    held = _read(_path(cache_dir, root, file))
    return _evidence(held[1]) if held else None


def save(cache_dir: Path, root: Path, file: str, analysis: Analysis) -> None:
    """Keep an analysis."""
    path = _path(cache_dir, root, file)
    write(path, (_FORMAT, _plain_evidence(analysis.evidence), _plain_model(analysis.model)))
    params = {name: stage.settable() for name, stage in analysis.live.items()}
    write_names(str(cache_dir), path.name, str(root / file), params)


def _read(path: Path) -> Any:
    held = read(path)
    return held if isinstance(held, tuple) and held[:1] == (_FORMAT,) else None


def _miss(file: str, why: str) -> None:
    trace(f"analysis of {file}: not from the cache ({why})")


def _path(cache_dir: Path, root: Path, file: str) -> Path:
    return cache_dir / "code" / name_of(root, file)


# --- plain data and back


def _plain_evidence(evidence: Evidence) -> tuple[Any, ...]:
    files = {path: (seen.stat, seen.digest) for path, seen in evidence.files.items()}
    folders = {path: (seen.stat, seen.names, seen.digest, seen.without) for path, seen in evidence.folders.items()}
    return (evidence.runtime, evidence.made, files, folders, evidence.environment, evidence.volatile)


def _evidence(held: tuple[Any, ...]) -> Evidence:
    runtime, made, files, folders, environment, volatile = held
    seen_files = {path: FileSeen(*seen) for path, seen in files.items()}
    seen_folders = {path: FolderSeen(*seen) for path, seen in folders.items()}
    return Evidence(runtime, made, seen_files, seen_folders, environment, volatile)


def _plain_model(model: PipelineModel) -> tuple[Any, ...]:
    entries: dict[tuple[Any, ...], int] = {}
    stages = []
    for stage in model.stages:
        rows = []
        for entry in stage.manifest.entries:
            body = (entry.name, entry.digest, entry.file, entry.line, entry.source)
            rows.append((entries.setdefault(body, len(entries)), entry.edges))
        told = _plain_remarks(stage.manifest.remarks)
        stages.append((_plain_spec(stage.spec), (tuple(rows), told, stage.manifest.passing), stage.code))
    return (model.file, tuple(entries), tuple(stages), _plain_remarks(model.remarks), model.packages, model.environment)


class _KeptManifest(Manifest):
    """A manifest that makes its entries when they are asked for: a run with nothing to do asks for none."""

    __slots__ = ("_entries", "_remarks", "_rows")

    def __init__(self, entries: tuple[Any, ...], rows: tuple[Any, ...], remarks: tuple[Any, ...], passing: Any) -> None:
        object.__setattr__(self, "_entries", entries)
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_remarks", remarks)
        object.__setattr__(self, "passing", passing)

    def __getattr__(self, name: str) -> Any:
        # Reached only while the slot of this name is empty.
        if name == "entries":
            value: Any = tuple(_entry(self._entries[at], edges) for at, edges in self._rows)
        elif name == "remarks":
            value = _remarks(self._remarks)
        else:
            raise AttributeError(name)
        object.__setattr__(self, name, value)
        return value


def _entry(body: tuple[Any, ...], edges: tuple[tuple[str, int], ...]) -> Entry:
    name, digest, file, line, source = body
    return Entry(name, digest, file, line, edges, source)


def _model(held: tuple[Any, ...]) -> PipelineModel:
    file, entries, stages, remarks, packages, environment = held
    found = [AnalysedStage(_spec(spec), _KeptManifest(entries, *kept), code) for spec, kept, code in stages]
    return PipelineModel(file, tuple(found), _remarks(remarks), packages, environment)


def _plain_remarks(remarks: tuple[Remark, ...]) -> tuple[Any, ...]:
    return tuple((one.kind, one.name, one.file, one.line, one.why, one.mend) for one in remarks)


def _remarks(held: tuple[Any, ...]) -> tuple[Remark, ...]:
    return tuple(Remark(*one) for one in held)


def _plain_spec(spec: StageSpec) -> tuple[Any, ...]:
    where = (spec.where.file, spec.where.line)
    deps, outs = (tuple(_plain_artifact(one) for one in side) for side in (spec.deps, spec.outs))
    names = (spec.name, spec.pipeline, spec.file, spec.root, spec.function)
    policy = spec.policy
    plain = (policy.resources, policy.mutex, policy.timeout, policy.retries, policy.priority)
    return (*names, where, deps, outs, spec.params, spec.frozen, spec.always, plain, spec.origin)


def _spec(held: tuple[Any, ...]) -> StageSpec:
    name, pipeline, file, root, function, where, deps, outs, params, frozen, always, policy, origin = held
    made = [tuple(_artifact(one) for one in side) for side in (deps, outs)]
    place = (name, pipeline, file, root, function, Location(*where))
    return StageSpec(*place, made[0], made[1], params, frozen, always, Policy(*policy), origin)


def _plain_artifact(one: ArtifactSpec) -> tuple[Any, ...]:
    return (one.key, one.kind, one.paths, one.shape, one.flags, one.loader, (one.where.file, one.where.line))


def _artifact(held: tuple[Any, ...]) -> ArtifactSpec:
    key, kind, paths, shape, flags, loader, where = held
    return ArtifactSpec(key, kind, paths, shape, flags, loader, Location(*where))
