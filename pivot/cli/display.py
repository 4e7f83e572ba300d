"""Where events go: lines, a live display on a terminal, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from pivot.reports.run import event_document, event_lines
from pivot.run.events import Event, RunEnded

if TYPE_CHECKING:
    from pivot.reports.progress import Progress

INTERRUPTED = 130


class Display(Protocol):
    """Shows events; `exit_code` stands once the run has ended."""

    exit_code: int

    def show(self, event: Event) -> None: ...


class Lines:
    """Plain lines on standard output."""

    exit_code = 0

    def show(self, event: Event) -> None:
        for line in event_lines(event):
            click.echo(line)
        self.exit_code = exit_code_of(event, self.exit_code)


class JsonLines:
    """One JSON document an event on standard output."""

    exit_code = 0

    def show(self, event: Event) -> None:
        click.echo(to_json(event_document(event)))
        self.exit_code = exit_code_of(event, self.exit_code)


class Terminal:
    """A live display; `show` of the wrapped progress prints the lines too."""

    exit_code = 0

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def show(self, event: Event) -> None:
        self._progress.show(event)
        self.exit_code = exit_code_of(event, self.exit_code)


def exit_code_of(event: Event, before: int) -> int:
    if not isinstance(event, RunEnded):
        return before
    if event.interrupted:
        return INTERRUPTED
    return 0 if event.ok else 1


@contextmanager
def open_display(*, as_json: bool) -> Iterator[Display]:
    """The display that suits standard output."""
    if as_json:
        yield JsonLines()
    elif sys.stdout.isatty():
        from pivot.reports.progress import open_progress

        with open_progress(event_lines) as progress:
            yield Terminal(progress)
    else:
        yield Lines()


def to_json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False)
