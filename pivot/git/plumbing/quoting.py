"""Text that others have written, such as names in notes and what pushed code prints, as it may be shown on one line."""

from __future__ import annotations

import re

# What ends a line for some reader, steers a terminal, turns the direction of writing, or is half of a character.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SHORT = {"\a": r"\a", "\b": r"\b", "\t": r"\t", "\n": r"\n", "\v": r"\v", "\f": r"\f", "\r": r"\r"}


def one_line(text: str, most: int = 0) -> str:
    """`text` with escapes, as Git writes them in paths, for all that is no visible character.

    With `most` what is longer than so many characters is cut.
    """
    cut = f"{text[:most]}..." if most and len(text) > most else text
    return _UNSAFE.sub(_escape, cut)


def plain_text(text: str) -> str:
    """The same for a text of several lines, which keeps its line feeds and tabs."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] in "\n\t" else _escape(found), text)


def quoted(name: str) -> str:
    """A path or another name as Git shows it: in quotes, with escapes, if it holds what is no visible character."""
    if not _UNSAFE.search(name) and '"' not in name and "\\" not in name:
        return name
    inside = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{one_line(inside)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    # A byte that is no text, as Python carries it along.
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\{code:03o}" if code < 0x100 else f"\\u{code:04x}"
