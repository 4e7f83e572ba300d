"""Times, sizes and long lists as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def seconds(value: float) -> str:
    if value < 60:
        return f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(value: int) -> str:
    """Bytes for people, in powers of 1024."""
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def begun(text: str, most: int) -> str:
    """The first `most` characters of a text, and how many more there are."""
    more = len(text) - most
    return f"{text[:most]} ... ({more} more characters)" if more > 0 else text


def first(names: Sequence[str], most: int) -> str:
    """The first `most` of them, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
