"""The text of a small output, for showing how two differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from pivot.errors import MissingObject
from pivot.git.odb.backend import TREE
from pivot.state.records import Output
from pivot.store.odb.objects import parse_pointer
from pivot.store.store import Store

SMALL = 256 << 10  # bytes


def content_lines(store: Store, path: str, old: Output | None, new: Output | None) -> Iterator[str]:
    """A unified diff of two states of an output, file by file for a directory; one line where a file shows none."""
    try:
        sides = [dict(_files(store, path, out.id, out.mode)) if out else {} for out in (old, new)]
    except MissingObject:
        yield f"({path}: its bytes are not here)"
        return
    for name in sorted(sides[0].keys() | sides[1].keys()):
        ids = [side.get(name) for side in sides]
        if ids[0] != ids[1]:
            yield from _file_lines(store, name, ids)


def _files(store: Store, path: str, oid: str, mode: int) -> Iterator[tuple[str, str]]:
    """Path and id of an output, or of all files below it."""
    if mode != TREE:
        yield path, oid
        return
    for entry in store.entries(oid):
        yield from _files(store, f"{path}/{entry.name}", entry.oid, entry.mode)


def _file_lines(store: Store, path: str, ids: list[str | None]) -> Iterator[str]:
    texts: list[list[str]] = []
    for oid in ids:
        text, why = _text(store, oid) if oid else ("", "")
        if text is None:
            yield f"({path}: {why})"
            return
        texts.append(text.splitlines())
    yield from difflib.unified_diff(texts[0], texts[1], f"a/{path}", f"b/{path}", lineterm="")


def _text(store: Store, oid: str) -> tuple[str | None, str]:
    try:
        data = store.read(oid)
        if len(data) > SMALL or parse_pointer(data):
            return None, f"more than {SMALL >> 10} KiB"
        return data.decode("utf-8"), ""
    except MissingObject:
        return None, "its bytes are not here"
    except UnicodeDecodeError:
        return None, "not text"
