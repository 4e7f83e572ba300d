"""What a record needs beside itself in the run cache, and what no record there needs any more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from pivot.errors import MissingObject, RecordError, UnknownVersion, UnreadableObject
from pivot.git.odb.backend import TREE
from pivot.git.odb.trees import Content, Trees, add_files
from pivot.state.records import Record, parse_record

Name = tuple[str, str]
"""A record by fingerprint and result."""

BESIDE = ("code", "reach")


def folder_of(name: Name) -> str:
    """Where the run cache has a record."""
    fingerprint, result = name
    return f"runs/{fingerprint[:2]}/{fingerprint[2:]}.{result}"


def changed(trees: Trees, top: str, tree: str | None, other: str | None) -> Iterator[str]:
    """Paths `<top>/<2 hex>/<name>` that `tree` has and `other` has not, or not so; what is equal is not read."""
    known = trees.folder(other, top)
    for start, entry in trees.folder(tree, top).items():
        there = known.get(start)
        if entry.mode != TREE or entry == there:
            continue
        names = trees.entries(there.oid) if there and there.mode == TREE else {}
        yield from (f"{top}/{start}/{name}" for name, one in trees.entries(entry.oid).items() if one != names.get(name))


def gone(trees: Trees, top: str, tree: str | None, other: str | None) -> Iterator[str]:
    """Those of `changed` that `other` does not have at all."""
    return (path for path in changed(trees, top, tree, other) if trees.at(other, path) is None)


def name_of(folder: str) -> Name:
    """The record whose folder in the run cache this is."""
    _, start, rest = folder.split("/")
    name, _, result = rest.partition(".")
    return start + name, result


def needs(trees: Trees, tree: str | None, folders: Iterable[str]) -> set[str]:
    """Paths of the sources and reach lists of these records; what nobody can read as a record needs nothing.

    Raises:
        UnknownVersion: a newer Pivot wrote one of them.
        MissingObject: a filtered fetch left one out.
    """
    found: set[str] = set()
    for folder in folders:
        if blob := trees.folder(tree, folder).get("record"):
            with contextlib.suppress(UnreadableObject):  # a damaged record is none
                found.update(_beside(trees.blob(blob.oid)))
    return found


def sweep(trees: Trees, tree: str | None) -> str | None:
    """The tree without sources and reach lists that no record in it needs; unchanged where a record cannot be read."""
    try:
        needed = needs(trees, tree, changed(trees, "runs", tree, None))
    except (UnknownVersion, MissingObject):
        return tree
    held = {path for top in BESIDE for path in changed(trees, top, tree, None)}
    surplus: dict[str, Content] = dict.fromkeys(held - needed)
    return add_files(trees, tree, surplus) if surplus else tree


def source_digests(record: Record) -> list[str]:
    """The entries of the record's code, whose texts are kept in `code/`."""
    return [str(digest) for digest in record.code["nodes"]]


def _beside(data: bytes) -> Iterator[str]:
    try:
        record = parse_record(data)
        static = record.static_fingerprint
        digests = source_digests(record)
    except UnknownVersion:
        raise
    except RecordError:
        return
    yield f"reach/{static[:2]}/{static}"
    yield from (f"code/{digest[:2]}/{digest}" for digest in digests)
