"""The record: "this fingerprint gave these outputs", one canonical JSON blob.

Where: `refs/pivot/runs`, path `runs/<2 hex>/<30 hex>.<result>/record` (see `pivot.git.runs`).
Version: `version` is the format of the record, `scheme` the way the fingerprint is made. Both are 1.
Only what the fingerprint is made from, plus the result: no stage name, file, line, time or host stands in a record, so
equal situations are byte-equal on every machine. What is said about a run (who, when, where) is an `Info` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import xxhash
from msgspec import Struct, field

from pivot.canonical import canonical_json, parse_canonical
from pivot.errors import PivotError, RecordError, UnknownVersion
from pivot.git.backend import BLOB, EXECUTABLE, SYMLINK, TREE
from pivot.git.output_tree import nest
from pivot.git.safe_path import is_safe_path

VERSION = 1
SCHEME = 1

# Label of an edge from the first node of a graph to a project file that a run imported beyond its static manifest. The
# nodes of these files are the last ones of the graph.
IMPORTED = "import:"

_ID = re.compile(r"[0-9a-f]{40}")  # the store is always SHA-1
_MODES = (BLOB, EXECUTABLE, SYMLINK, TREE)


def digest_of(value: Any) -> str:
    """xxh3_128 over canonical JSON, 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(canonical_json(value))


def fingerprint_of(code: str, params: str, spec: str, deps: Mapping[str, str]) -> str:
    """Name a situation: digests of the entry graph, the parameters and the artifacts, and an id for each dep path."""
    return digest_of({"scheme": SCHEME, "code": code, "params": params, "spec": spec, "deps": dict(deps)})


class Output(Struct, frozen=True):
    """One output of a record: object id in the store, Git mode, size in bytes (of all files for a directory)."""

    id: str
    mode: int
    size: int


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
    try:
        value = parse_canonical(data)
        version, scheme = value["version"], value["scheme"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"this is not a record: {error}") from error
    if (version, scheme) != (VERSION, SCHEME):
        raise UnknownVersion(
            f"the record has version {version}, scheme {scheme}; this Pivot reads version {VERSION}, scheme {SCHEME}",
            hint="Install a newer git-pivot.",
        )
    try:
        outs = {path: Output(out["id"], out["mode"], out["size"]) for path, out in value["outs"].items()}
        return Record(value["code"], value["params"], value["spec"], value["deps"], outs, value["tree"])
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"the record lacks a field: {error}") from error


def check_record(record: Record, fingerprint: str, result: str) -> None:
    """Believe a record only if its content gives its name, and its outputs are those that its stage declares.

    Every look-up of a record goes through here, so plan, run, checkout and hooks take the same records. The
    fingerprint covers the declarations (`spec`) and not the outputs, so anyone could add to the outputs of a true
    record; that is why each path, its kind and the tree are compared.

    Raises:
        RecordError: it is not to be believed; the message says why.
    """
    if not _is_id(record.tree):
        raise RecordError("its outputs tree is not an object id")
    try:
        own = (record.fingerprint, record.result)
    except (TypeError, AttributeError, ValueError) as error:
        raise RecordError(f"the record has a field of the wrong type: {error}") from error
    if own != (fingerprint, result):
        raise RecordError("its content gives another fingerprint or result than its path")
    for path, out in record.outs.items():
        _check_output(path, out)
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
    declared: dict[str, dict[str, Any]] = {}
    try:
        for out in record.spec["outs"]:
            declared |= dict.fromkeys(out["paths"], out)
        optional = {path for path, out in declared.items() if "optional" in out["flags"]}
        directories = {path for path, out in declared.items() if out["kind"] == "directory"}
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"its declared outputs cannot be read: {error!r}") from error
    if surplus := sorted(record.outs.keys() - declared.keys()):
        raise RecordError(f"its stage declares no output {surplus[0]}")
    if lacking := sorted(declared.keys() - record.outs.keys() - optional):
        raise RecordError(f"it lacks the declared output {lacking[0]}")
    for path in sorted(directories & record.outs.keys()):
        if record.outs[path].mode not in (TREE, SYMLINK):
            raise RecordError(f"its stage declares the directory {path}, and it has a file there")


def _check_output(path: object, out: Output) -> None:
    if not isinstance(path, str) or not is_safe_path(path):
        raise RecordError(f"the output path {path!r} leads out of the project or into .git")
    if not _is_id(out.id) or out.mode not in _MODES:
        raise RecordError(f"the output {path} has no proper object id and mode")
    if type(out.size) is not int or out.size < 0:
        raise RecordError(f"the output {path} has a size that cannot be")


def _static(code: dict[str, Any]) -> dict[str, Any]:
    nodes, edges = code["nodes"], code["edges"]
    first = [edge for edge in edges[0] if not edge[0].startswith(IMPORTED)]
    imported = len(edges[0]) - len(first)
    if not imported:
        return code
    return {**code, "nodes": nodes[:-imported], "edges": [first, *edges[1:-imported]]}


def _is_id(text: object) -> bool:
    return isinstance(text, str) and _ID.fullmatch(text) is not None


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
    try:
        value = {name: item for name, item in parse_canonical(data).items() if name in Info.__struct_fields__}
        value["entries"] = tuple((name, file, line) for name, file, line in value["entries"])
        value["undeclared"] = tuple(value.get("undeclared", ()))
        return Info(**value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"this is not an info blob: {error}") from error
