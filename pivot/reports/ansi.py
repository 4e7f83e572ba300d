"""What a stage printed, as it is shown: nothing in it steers the terminal of whoever reads it later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

# As ECMA-48 has them: control sequences; strings, such as a window's title, up to their end or that of the line; other
# escapes; single controls, all but tab and line feed.
_STEERING = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]",
    re.MULTILINE,
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


def readable(text: str, *, colour: bool) -> str:
    """Printed lines without control sequences, but for those of colour where these are wanted."""
    if text.isprintable():  # most lines; the expression takes a tenth of a millisecond for each kilobyte
        return text
    return _STEERING.sub(lambda found: found[0] if colour and _COLOUR.fullmatch(found[0]) else "", text)


def coloured(text: str, style: str = "") -> Text:
    """With its colours, and with nothing else that would steer the terminal: `rich` lets links and some others pass."""
    from rich.text import Text  # most commands print nothing of a stage

    return Text.from_ansi(readable(text, colour=True), style=style)
