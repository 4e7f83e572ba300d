"""Named points at which a crash must lose nothing. They do nothing here; the fault tests put a killer in place."""

from __future__ import annotations


def point(name: str) -> None:
    """Pass a place where the tests end the process, to see what is left behind."""
