"""Where events go: lines, a live display on a terminal, or JSON."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from json import JSONEncoder
from typing import Any

import click

from pivot.git.plumbing.quoting import plain_text
from pivot.reports.ansi import readable
from pivot.reports.run import Detail, event_document, event_lines
from pivot.run.events import Beat, Event, RunEnded

INTERRUPTED = 130
# C1 controls steer a terminal, and lone surrogates (bytes of names that are not UTF-8) cannot be written as UTF-8.
_ESCAPED = re.compile(r"[\x7f-\x9f\ud800-\udfff]")
_encode = JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Display:
    """Hands events to `write`, and says what the run came to once it has ended."""

    def __init__(self, write: Callable[[Event], None]) -> None:
        self._write = write
        self._ended: RunEnded | None = None

    def show(self, event: Event) -> None:
        try:
            self._write(event)
        except BrokenPipeError:
            # Whoever read our output has gone; the stages are none of their business, so the run goes on.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            self._write = _silence
        if isinstance(event, RunEnded):
            self._ended = event

    @property
    def exit_code(self) -> int:
        if self._ended is None or self._ended.interrupted:
            return INTERRUPTED
        return 0 if self._ended.ok else 1

    @property
    def unchanged(self) -> bool:
        """Whether the run did nothing."""
        return self._ended is not None and all(one == "unchanged" for one in self._ended.endings.values())


def _silence(event: Event) -> None:
    return None


def shows_colour() -> bool:
    """Whether colours are shown on standard output."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _write_lines(event: Event, detail: Detail, *, colour: bool) -> None:
    for line in event_lines(event, detail):
        shown = readable(line, colour=colour)
        click.echo(f"{shown}\x1b[0m" if "\x1b" in shown else shown)


def write_json(event: Event) -> None:
    if not isinstance(event, Beat):  # nothing has happened
        click.echo(to_json(event_document(event)))


@contextmanager
def open_display(*, as_json: bool, detail: Detail = "normal", live: bool = True) -> Iterator[Display]:
    """The display that suits standard output; one that is not `live` only ever adds lines."""
    if as_json:
        yield Display(write_json)
    elif live and sys.stdout.isatty() and detail != "quiet":
        from pivot.reports.progress import open_progress

        with open_progress(partial(event_lines, detail=detail)) as progress:
            yield Display(progress.show)
    else:
        yield Display(partial(_write_lines, detail=detail, colour=shows_colour()))


def say(text: str, *, err: bool = False) -> None:
    """A line or a text for a reader: names that others have written end no line and steer no terminal."""
    click.echo(plain_text(text), err=err)


def to_json(document: object) -> str:
    """The one encoder of all JSON that is printed: RFC 8259, and text that steers no terminal.

    JSON has no form for floats that are not finite: they are the strings "NaN", "Infinity" and "-Infinity".
    """
    try:
        text = _encode(document)
    except ValueError:  # such a float; nearly no document has one, so it is looked for only now
        text = _encode(_finite(document))
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
