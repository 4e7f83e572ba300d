"""Keys of a `DirectoryOut`: each becomes a file, so each must be a safe and separate path."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

_MAX_BYTES = 255
_GIT_FOLDERS = frozenset({".git", "git~1"})


def why_bad_keys(values: Mapping[Any, Any]) -> str | None:
    """The first thing that is wrong with the keys, or None.

    Keys that differ only in case or in their Unicode form are refused on every system, since they would be one file
    on some: a result must not depend on the machine.
    """
    seen: dict[str, str] = {}
    for key in values:
        why = _why_bad(key)
        if why:
            return f"{key!r} {why}"
        folded = unicodedata.normalize("NFC", key).casefold()
        if folded in seen:
            return f"{key!r} and {seen[folded]!r} are one file where case or Unicode form do not count"
        seen[folded] = key
    return _nested(seen)


def _nested(seen: Mapping[str, str]) -> str | None:
    """A key that is also the folder of another one."""
    for folded, key in seen.items():
        above = folded.rpartition("/")[0]
        while above:
            if above in seen:
                return f"{seen[above]!r} is a file and the folder of {key!r}"
            above = above.rpartition("/")[0]
    return None


def _why_bad(key: Any) -> str | None:
    if not isinstance(key, str):
        return "is not a string"
    if not key:
        return "is empty"
    if key.startswith("/") or "\\" in key or "\0" in key:
        return "is absolute, or has a backslash or a NUL in it"
    for part in key.split("/"):
        if part in ("", ".", ".."):
            return "has an empty part, `.` or `..` in it"
        if part.casefold() in _GIT_FOLDERS:
            return "would be a Git folder"
        if len(part.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
            return f"has a part of more than {_MAX_BYTES} bytes"
    return None
