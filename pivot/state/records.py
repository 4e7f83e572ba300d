"""The record: "this fingerprint gave these outputs", one canonical JSON blob.

Where: `refs/pivot/runs`, path `runs/<2 hex>/<30 hex>.<result>/record` (see `pivot.state.run_cache`).
Version: `version` is the format of the record, `scheme` the way the fingerprint is made. Both are 1.
Only what the fingerprint is made from, plus the result: no stage name, file, line, time or host stands in a record, so
equal situations are byte-equal on every machine. What is said about a run (who, when, where) is an `Info` beside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
import xxhash
from msgspec import Meta, Struct, field

from pivot.canonical import canonical_json, parse_canonical
from pivot.errors import PivotError, RecordError, UnknownVersion
from pivot.git.odb.backend import SYMLINK, TREE
from pivot.git.output_tree import nest
from pivot.git.plumbing.names import is_stage_name
from pivot.git.plumbing.quoting import quoted
from pivot.git.safe_path import is_safe_path

VERSION = 1
SCHEME = 1

# Label of an edge from the first node of a graph to a project file that a run imported beyond its static manifest. The
# nodes of these files are the last ones of the graph.
IMPORTED = "import:"

# Bytes of a blob, so that nobody's garbage fills the memory. A record of 10,000 entries and as many inputs has 3 MiB.
MOST_RECORD = 16 << 20
MOST_INFO = 8 << 20
MOST_LEVELS = 100  # of parameters

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def digest_of(value: Any) -> str:
    """xxh3_128 over canonical JSON, 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(canonical_json(value))


def fingerprint_of(code: str, params: str, spec: str, deps: Mapping[str, str]) -> str:
    """Name a situation: digests of the entry graph, the parameters and the artifacts, and an id for each dep path."""
    return digest_of({"scheme": SCHEME, "code": code, "params": params, "spec": spec, "deps": dict(deps)})


_Id = Annotated[str, Meta(pattern=r"\A[0-9a-f]{40}\Z")]  # the store is always SHA-1


class Output(Struct, frozen=True):
    """One output of a record: object id in the store, Git mode, size in bytes (of all files for a directory)."""

    id: str
    mode: int
    size: int


class _OutputShape(Struct):
    id: _Id
    mode: Literal[0o100644, 0o100755, 0o120000, 0o040000]
    size: Annotated[int, Meta(ge=0)]


class _GraphShape(Struct):
    """The entry graph: digests, and for each entry where its references lead."""

    nodes: list[str]
    edges: list[list[tuple[str, int]]]


class _ArtifactShape(Struct):
    key: str
    kind: str
    paths: list[str]
    flags: list[str]
    loader: str
    shape: str = "one"


class _SpecShape(Struct):
    deps: list[_ArtifactShape]
    outs: list[_ArtifactShape]


class _RecordShape(Struct):
    """What a record of this version must look like, checked once, where it is read."""

    code: _GraphShape
    params: dict[str, Any]
    spec: _SpecShape
    deps: dict[str, str]
    outs: dict[str, _OutputShape]
    tree: _Id


class Record(Struct, frozen=True, dict=True):
    """A situation and its result. `tree` is the store's tree id of all outputs by repository-relative path."""

    code: dict[str, Any]
    params: dict[str, Any]
    spec: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, Output]
    tree: str

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of(digest_of(self.code), digest_of(self.params), digest_of(self.spec), self.deps)

    def named(self, fingerprint: str) -> Record:
        """This record, whose fingerprint is known: it is not made from its content once more."""
        self.__dict__["fingerprint"] = fingerprint
        return self

    @property
    def static_fingerprint(self) -> str:
        """The fingerprint of the same situation without the project files that its run imported."""
        code = digest_of(_static(self.code))
        return fingerprint_of(code, digest_of(self.params), digest_of(self.spec), self.deps)

    @property
    def result(self) -> str:
        """First 12 hex digits of the outputs tree: tells two results of one fingerprint apart."""
        return self.tree[:12]

    def to_bytes(self) -> bytes:
        outs = {path: {"id": out.id, "mode": out.mode, "size": out.size} for path, out in self.outs.items()}
        return canonical_json(
            {
                "version": VERSION,
                "scheme": SCHEME,
                "code": self.code,
                "params": self.params,
                "spec": self.spec,
                "deps": self.deps,
                "outs": outs,
                "tree": self.tree,
            }
        )


def parse_record(data: bytes) -> Record:
    """Read a record.

    Raises:
        RecordError: it is not a record; `UnknownVersion` when a newer Pivot wrote it.
    """
    if len(data) > MOST_RECORD:
        raise RecordError(f"it has {len(data):,} bytes, and a record has at most {MOST_RECORD:,}")
    try:
        value = parse_canonical(data)
        version, scheme = value["version"], value["scheme"]
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"this is not a record: {error}") from error
    if (version, scheme) != (VERSION, SCHEME):
        raise UnknownVersion(
            f"the record has version {version}, scheme {scheme}; this Pivot reads version {VERSION}, scheme {SCHEME}",
            hint="Install a newer git-pivot.",
        )
    try:
        shape = msgspec.convert(value, _RecordShape)
    except msgspec.ValidationError as error:
        raise RecordError(f"the record has not the shape of one: {error}") from error
    _check_graph(shape.code)
    _check_levels(value["params"])
    outs = {path: Output(out.id, out.mode, out.size) for path, out in shape.outs.items()}
    return Record(value["code"], value["params"], value["spec"], value["deps"], outs, value["tree"])


def _check_graph(code: _GraphShape) -> None:
    count = len(code.nodes)
    if not count or len(code.edges) != count:
        raise RecordError("its graph of code has not a list of edges for each node")
    if not all(0 <= target < count for edges in code.edges for _, target in edges):
        raise RecordError("its graph of code has an edge that leads nowhere")


def _check_levels(value: Any) -> None:
    """Everything that walks parameters may do so by recursion."""
    level = [value]
    for _ in range(MOST_LEVELS):
        below = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [item for items in below for item in items]
        if not level:
            return
    raise RecordError(f"its parameters are nested deeper than {MOST_LEVELS} levels")


def check_record(record: Record, fingerprint: str, result: str) -> None:
    """Believe a record only if its content gives its name, and its outputs are those that its stage declares.

    Every look-up of a record goes through here, so plan, run, checkout and hooks take the same records. The
    fingerprint covers the declarations (`spec`) and not the outputs, so anyone could add to the outputs of a true
    record; that is why each path, its kind and the tree are compared.

    Raises:
        RecordError: it is not to be believed; the message says why.
    """
    if (record.fingerprint, record.result) != (fingerprint, result):
        raise RecordError("its content gives another fingerprint or result than its path")
    for path in record.outs:
        if not is_safe_path(path):
            raise RecordError(f"the output path {quoted(path)} leads out of the project or into .git")
    _check_declared(record)
    try:
        tree = nest(record.outs, lambda _oid, _data: None)
    except PivotError as error:
        raise RecordError(error.what) from error
    if tree != record.tree:
        raise RecordError("its outputs do not give the tree that it names")


def _check_declared(record: Record) -> None:
    """The output paths must be those of the declarations, a directory where a directory is declared.

    Only `DirectoryOut` says from its kind what is written; a loader of the user's may write a file or a directory.
    """
    declared = {path: out for out in record.spec["outs"] for path in out["paths"]}
    optional = {path for path, out in declared.items() if "optional" in out["flags"]}
    directories = {path for path, out in declared.items() if out["kind"] == "directory"}
    if surplus := sorted(record.outs.keys() - declared.keys()):
        raise RecordError(f"its stage declares no output {surplus[0]}")
    if lacking := sorted(declared.keys() - record.outs.keys() - optional):
        raise RecordError(f"it lacks the declared output {lacking[0]}")
    for path in sorted(directories & record.outs.keys()):
        if record.outs[path].mode not in (TREE, SYMLINK):
            raise RecordError(f"its stage declares the directory {path}, and it has a file there")


def _static(code: dict[str, Any]) -> dict[str, Any]:
    nodes, edges = code["nodes"], code["edges"]
    first = [edge for edge in edges[0] if not edge[0].startswith(IMPORTED)]
    imported = len(edges[0]) - len(first)
    if not imported:
        return code
    return {**code, "nodes": nodes[:-imported], "edges": [first, *edges[1:-imported]]}


class Info(Struct, frozen=True):
    """What is said about one run of a record; never part of a fingerprint.

    `entries` are `[name, file, line]` in the order of the record's graph nodes; `finished` is UTC in ISO 8601 with
    seconds; `seconds` is wall time; `memory` is peak resident bytes; `environment` holds variables that were read;
    `tries` is how often it was started until it gave the result.
    """

    stage: str
    entries: tuple[tuple[str, str, int], ...]
    seconds: float
    finished: str
    host: str
    python: str
    user: str
    packages: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str | None] = field(default_factory=dict)
    memory: int = 0
    cpu: float = 0.0
    adopted: str = ""
    undeclared: tuple[str, ...] = ()
    tries: int = 1

    def to_bytes(self) -> bytes:
        return canonical_json({name: getattr(self, name) for name in self.__struct_fields__})


def parse_info(data: bytes) -> Info:
    """Read an `Info`; unknown fields are left out, so that an older Pivot reads a newer one's.

    Raises:
        RecordError: it is not an info blob.
    """
    if len(data) > MOST_INFO:
        raise RecordError(f"it has {len(data):,} bytes, and an info blob has at most {MOST_INFO:,}")
    try:
        info = msgspec.convert(parse_canonical(data), Info)
    except (ValueError, msgspec.ValidationError) as error:
        raise RecordError(f"this is not an info blob: {error}") from error
    if not is_stage_name(info.stage) or not _TIME.fullmatch(info.finished):
        raise RecordError("this is not an info blob: no stage has this name, or no run ended at this time")
    if not (math.isfinite(info.seconds) and math.isfinite(info.cpu)):
        raise RecordError("this is not an info blob: its seconds are not finite")
    return info
