"""The full-screen display of a watch; the screen of before is back at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from pivot.reports.ansi import coloured
from pivot.reports.watch_state import Row, WatchState
from pivot.run.events import Beat, Event, StagePrinted

_STYLES = {
    "running": "bold", "restoring": "cyan", "failed": "bold red", "blocked": "yellow", "skipped": "yellow",
    "to run": "yellow", "ran": "green", "restored": "cyan", "up to date": "dim",
}  # fmt: skip
_MARKS = {"running": ">", "restoring": ">", "failed": "x", "blocked": "-", "to run": ".", "ran": "+", "restored": "+"}
_KEYS = (("r", "run"), ("f", "force"), ("l", "logs"), ("e", "explain"), ("p", "pause"), ("q", "quit"))
_FRAME_SECONDS = 0.1
_SMALL = 8  # lines; where there are fewer, what stands against planning is shown alone


class Screen:
    """Draws the board: the stages, below them the output that matters most, or one of the two on the whole screen."""

    def __init__(self, console: Console, live: Live) -> None:
        self.board = WatchState()
        self._console = console
        self._live = live
        self._view = ""
        self._stage = ""
        self._drawn = 0.0

    def show(self, event: Event) -> None:
        """Take an event in; what a stage prints is drawn ten times a second at most."""
        if isinstance(event, Beat):
            self._press(event.key)
        else:
            self.board.take(event)
        if not isinstance(event, StagePrinted) or time.monotonic() - self._drawn > _FRAME_SECONDS:
            self._drawn = time.monotonic()
            self._live.update(self._draw(), refresh=True)

    def _press(self, key: str) -> None:
        if key == "e":
            self._view = "" if self._view == "explain" else "explain"
        elif key == "l":
            self._view, self._stage = self._next_log()

    def _next_log(self) -> tuple[str, str]:
        """The log after the one that is shown; after the last, the stages again."""
        focus = self.board.focus()
        with_logs = [row.name for row in self.board.rows.values() if row.printed or row.failure]
        if focus and focus.name in with_logs:
            with_logs.remove(focus.name)
            with_logs.insert(0, focus.name)
        if self._view != "logs":
            return ("logs", with_logs[0]) if with_logs else ("", "")
        following = with_logs[with_logs.index(self._stage) + 1 :] if self._stage in with_logs else []
        return ("logs", following[0]) if following else ("", "")

    def _draw(self) -> Group:
        width, height = self._console.size
        lines = [self._head(), *self._changes()]
        room = height - len(lines) - 2
        if self.board.trouble and (self._view == "explain" or room < _SMALL):
            lines += self._output(None, width, room)
        elif self._view == "explain":
            lines += self._wrap([*self.board.explained()] or ["nothing changed"], width)[:room]
        elif self._view == "logs":
            lines += self._output(self.board.rows.get(self._stage), width, room)
        else:
            lines += self._overview(width, room)
        lines += [Text()] * (height - 1 - len(lines))
        for line in lines:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
        return Group(*lines[: height - 1], self._foot())

    def _head(self) -> Text:
        board = self.board
        doing = "paused" if board.paused and board.headline.startswith("waits for") else board.headline
        return Text.assemble(("git pivot watch", "bold"), "  ", (doing, "reverse" if board.paused else ""))

    def _changes(self) -> list[Text]:
        board = self.board
        lines = [Text(f"last run  {board.last}" if board.last else "", style="dim")]
        if board.change:
            lines.append(Text(f"changed   {board.change}", style="dim"))
        if board.polling:
            lines.append(Text(f"looks at the files once a second: {board.polling}", style="yellow"))
        lines += [coloured(one.partition("\n")[0], "yellow") for one in board.notices]
        return [line for line in lines if line.plain] + [Text()]

    def _overview(self, width: int, room: int) -> list[Text]:
        rows = self.board.in_order()
        shown = max(3, min(len(rows), room // 2))
        names = max((len(row.name) for row in rows[:shown]), default=0)
        lines = [_row_line(row, min(names, width // 3)) for row in rows[:shown]]
        if len(rows) > shown:
            lines.append(Text(f"  and {len(rows) - shown} more", style="dim"))
        lines.append(Text())
        return lines + self._output(self.board.focus(), width, room - len(lines))

    def _output(self, row: Row | None, width: int, room: int) -> list[Text]:
        if self.board.trouble:
            trouble = self._wrap(self.board.trouble, width)
            return [Text(line.plain, style="red") for line in trouble[-room:]]
        if row is None or room < 2:
            return []
        title = Text(f"--- {row.name} ".ljust(width, "-"), style="dim")
        return [title, *self._wrap([*row.printed, *row.failure], width)[-(room - 1) :]]

    def _wrap(self, lines: Iterable[str], width: int) -> list[Text]:
        return [piece for line in lines for piece in coloured(line or " ").wrap(self._console, width)]

    def _foot(self) -> Text:
        named = [(key, "go on" if key == "p" and self.board.paused else name) for key, name in _KEYS]
        if sum(len(key) + len(name) + 3 for key, name in named) > self._console.width:
            named = [(key, name if key == "q" else "") for key, name in named]
        return Text.assemble(*[part for key, name in named for part in ((key, "bold"), f" {name}  ")], no_wrap=True)


def _row_line(row: Row, width: int) -> Text:
    name = row.name if len(row.name) <= width else row.name[: width - 1] + "…"
    style = _STYLES[row.state]
    return Text.assemble(
        (f" {_MARKS.get(row.state, ' ')} ", style),
        f"{name:<{width}}  ",
        (f"{row.state:<10}", style),
        f"  {row.time:>8}  ",
        (row.reason if row.state != "up to date" else "", "dim"),
    )


@contextmanager
def open_screen() -> Iterator[Screen]:
    """A screen of its own on the terminal; the one of before is put back whatever happens."""
    console = Console(highlight=False, markup=False, emoji=False)
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        yield Screen(console, live)
