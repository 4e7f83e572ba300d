"""What a stage printed, as the displays show it."""

from __future__ import annotations

from rich.text import Text

from pivot.reports.ansi import readable


def coloured(text: str, style: str = "") -> Text:
    """With its colours, and with nothing else that would steer the terminal: `rich` lets links and some others pass."""
    return Text.from_ansi(readable(text, colour=True), style=style)
