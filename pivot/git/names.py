"""Names that come from notes and records of anybody: which are believed, and how a name is shown."""

from __future__ import annotations

import re

# Controls (C0, DEL, C1), separators of lines, and marks that turn the direction of text around.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_QUOTED = re.compile('[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"\\\\]')
# Below folders, whose names may be anything: what `Pipeline.register` makes of a name, a pipeline and a variant.
_STAGE = re.compile(r"\w\S*")
_LONGEST = 1000
_LETTERS = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def is_stage_name(name: str) -> bool:
    """Whether `register` could have made this name; a note line or an info of any other is void."""
    if not name or len(name) > _LONGEST or _CONTROLS.search(name):
        return False
    return _STAGE.fullmatch(name.rpartition("/")[2]) is not None


def quoted(name: str) -> str:
    """A path or another name as Git shows it: in quotes, with escapes, if it holds what would steer a terminal."""
    return f'"{_QUOTED.sub(_escape, name)}"' if _QUOTED.search(name) else name


def escape_controls(text: str) -> str:
    """A text of several lines with each control character but line feeds and tabs as Git escapes it."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in "\n\t" else _escape(found), text)


def _escape(found: re.Match[str]) -> str:
    if letter := _LETTERS.get(ord(found[0])):
        return f"\\{letter}"
    return "".join(f"\\{byte:03o}" for byte in found[0].encode("utf-8", "surrogateescape"))
