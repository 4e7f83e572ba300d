"""The text of a small output, for showing how two differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from pivot.errors import MissingObject
from pivot.git.records import Output
from pivot.store.objects import Object
from pivot.store.store import Store

SMALL = 256 << 10  # bytes


def content_lines(store: Store, path: str, old: Output | None, new: Output | None) -> Iterator[str]:
    """A unified diff of two states of an output, or one line that says why there is none."""
    texts: list[list[str]] = []
    for out in (old, new):
        text, why = _text(store, out) if out else ("", "")
        if text is None:
            yield f"({path}: {why})"
            return
        texts.append(text.splitlines())
    yield from difflib.unified_diff(texts[0], texts[1], f"a/{path}", f"b/{path}", lineterm="")


def _text(store: Store, out: Output) -> tuple[str | None, str]:
    held = Object(out.id, out.mode, out.size)
    if held.is_directory:
        return None, "a directory"
    if held.size > SMALL:
        return None, f"more than {SMALL >> 10} KiB"
    try:
        return store.read(out.id).decode("utf-8"), ""
    except MissingObject:
        return None, "its bytes are not here"
    except UnicodeDecodeError:
        return None, "not text"
