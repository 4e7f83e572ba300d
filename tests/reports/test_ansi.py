"""What a stage printed is text to whoever reads its log."""

from __future__ import annotations

import pytest

from pivot.reports.ansi import readable


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        ("a\tb\nc\n", "a\tb\nc\n"),
        ("ünï 日本 🙂", "ünï 日本 🙂"),
        ("\x1b[2J\x1b[Hafter", "after"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x1b]0;no end\nnext\n", "\nnext\n"),
        ("\x9b2Jafter\x9d0;title\x9cmore", "aftermore"),
        ("\x1b7save\x1b(B\x1b[?25lhide", "savehide"),
        ("bell\x07back\x08\x00\x7f", "bellback"),
        ("cut\x1b[12", "cut"),
        ("cut\x1b", "cut"),
    ],
)
def test_nothing_steers_the_terminal(printed: str, plain: str) -> None:
    assert readable(printed, colour=False) == plain
    assert readable(printed, colour=True) == plain


def test_colour_is_kept_where_it_is_wanted() -> None:
    printed = "\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mblue\x1b[m\x1b[2K"
    assert readable(printed, colour=True) == printed.removesuffix("\x1b[2K")
    assert readable(printed, colour=False) == "red blue"
