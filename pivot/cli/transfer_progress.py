"""The one line on a terminal that tells how far a push or a pull is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from pivot.reports.transfer import moving_line
from pivot.sync.transfer.progress import Moving, Tell


@contextmanager
def show_moving() -> Iterator[Tell]:
    """Show events where standard error is a terminal; the line is gone afterwards."""
    lock = threading.Lock()
    is_terminal = sys.stderr.isatty()
    told = False

    def tell(event: Moving) -> None:
        nonlocal told
        if is_terminal:
            with lock:
                click.echo(f"\r\033[K{moving_line(event)}", nl=False, err=True)
                told = True

    try:
        yield tell
    finally:
        if told:
            click.echo("\r\033[K", nl=False, err=True)
