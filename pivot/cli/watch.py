"""`git pivot watch`, which is `git pivot repro --watch`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from msgspec.structs import replace

from pivot.cli.display import INTERRUPTED, Display, open_display
from pivot.cli.session_setup import folder_in, given_by_environment, refuse_recursion
from pivot.pipeline.overrides import given_options
from pivot.pool.cpus import usable_cores
from pivot.project import Project
from pivot.reports.remarks import remark_lines
from pivot.reports.run import Detail
from pivot.reports.watch_screen import Screen, open_screen
from pivot.run.selection import RunOptions, Selection
from pivot.watch.keys import Keys
from pivot.watch.loop import Order, open_watch


@click.command()
@click.argument("targets", nargs=-1, metavar="[STAGE]...")
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Stages at a time (default: usable cores).")
@click.option("-a", "--all", "everything", is_flag=True, help="All pipelines of the repository, from whatever folder.")
@click.option("-s", "--single", is_flag=True, help="The named stages only; what they read is taken as it stands.")
@click.option("--set", "values", multiple=True, metavar="STAGE.NAME=VALUE", help="Another value for a parameter.")
@click.option("-v", "--verbose", is_flag=True, help="Every stage, and every reason.")
@click.option("--json", "as_json", is_flag=True, help="One event a line on standard output.")
def watch(targets: tuple[str, ...], values: tuple[str, ...], **options: bool | int | None) -> int:
    """Run what each save reaches, until Ctrl-C.

    The same as `git pivot repro --watch`. STAGE is a stage's name, an output path, a folder or a glob; without
    it, the pipelines of the current folder and those below it.
    """
    selection = Selection(targets, everything=bool(options["everything"]), single=bool(options["single"]))
    run_options = RunOptions(int(options["jobs"] or usable_cores()), keep_going=True)
    detail: Detail = "verbose" if options["verbose"] else "normal"
    return run_watch(selection, run_options, values, detail=detail, as_json=bool(options["as_json"]))


def run_watch(
    selection: Selection, options: RunOptions, values: Sequence[str], *, detail: Detail, as_json: bool
) -> int:
    """Watch until somebody ends it; the exit code."""
    with Project.open(Path.cwd()) as project:
        refuse_recursion(project)
        given = (*given_by_environment(project), *given_options(values))
        selection = replace(selection, folder=folder_in(project))
    order = Order(selection, options, remark_lines, given)
    with ExitStack() as stack:
        keys = None
        if Keys.are_there() and not as_json and os.environ.get("TERM") != "dumb":
            keys = stack.enter_context(Keys())
            display: Display | Screen = stack.enter_context(open_screen())
        else:
            display = stack.enter_context(open_display(as_json=as_json, detail=detail, live=False))
        watching = stack.enter_context(open_watch(Path.cwd(), order, keys))
        for event in watching.events():
            display.show(event)
    if isinstance(display, Screen) and display.board.totals:
        click.echo(display.board.totals)
    return 0 if watching.quit else INTERRUPTED
