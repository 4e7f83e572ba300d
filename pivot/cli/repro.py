"""`git pivot repro`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

import click

from pivot.cli.display import open_display, say, to_json
from pivot.cli.remember_noop import remember_noop
from pivot.cli.session_setup import folder_in, open_session, report_failures, report_remarks
from pivot.operations.determinism import verify_determinism
from pivot.pipeline.run_policy import read_duration
from pivot.pool.cpus import usable_cores
from pivot.reports.ansi import readable
from pivot.reports.determinism import verdict_document, verdict_lines
from pivot.reports.forecast import forecast_document, forecast_lines
from pivot.reports.run import Detail, dry_run_lines
from pivot.reports.status import status_document
from pivot.run.execute import execute
from pivot.run.git_exclude import seen_by_git
from pivot.run.outputs import kept_paths
from pivot.run.selection import RunOptions, Selection
from pivot.run.session import Session
from pivot.schedule.admission_queue import work_ahead
from pivot.schedule.forecast import forecast
from pivot.schedule.resource_limits import read_limits

_NOT_WATCHED = {
    "dry_run": "--dry-run",
    "failed": "--failed",
    "twice": "--verify-determinism",
    "budget": "--budget",
    "pdb": "--pdb",
}


class Duration(click.ParamType[float]):
    """Seconds, from text such as `90`, `5m` or `1.5h`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = read_duration(value) if isinstance(value, str | int | float) else None
        if seconds is None:
            self.fail(f"{value!r} is no time; write seconds, or text such as 90s, 5m or 2h", param, ctx)
        return seconds


@click.command()
@click.argument("targets", nargs=-1, metavar="[STAGE]...")
@click.option("-a", "--all", "everything", is_flag=True, help="All pipelines of the repository, from whatever folder.")
@click.option("-f", "--force", is_flag=True, help="Run the named stages (all, if none is named) even if up to date.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Stages at a time (default: usable cores).")
@click.option("-k", "--keep-going", is_flag=True, help="After a failure, go on with stages that do not need it.")
@click.option("-s", "--single", is_flag=True, help="The named stages only; what they read is taken as it stands.")
@click.option("--failed", is_flag=True, help="The stages that failed in the last run, with their upstreams.")
@click.option("--set", "values", multiple=True, metavar="STAGE.NAME=VALUE", help="Another value for a parameter.")
@click.option(
    "--verify-determinism", "twice", is_flag=True, help="Run them twice in clean folders; compare, keep nothing."
)
@click.option("--budget", type=Duration(), metavar="TIME", help="Start no stage that would not end in time, as in 30m.")
@click.option("--pdb", is_flag=True, help="Open the debugger where a stage raises; one stage at a time.")
@click.option("--discard-edits", "discard", is_flag=True, help="Do not keep edits of outputs before replacing them.")
@click.option("--pull/--no-pull", default=None, help="Pull the bytes that are needed, or never (pivot.pull).")
@click.option("-w", "--watch", is_flag=True, help="Stay, and run what each save reaches, until Ctrl-C.")
@click.option("-q", "--quiet", is_flag=True, help="Only failures, warnings and the totals.")
@click.option("-v", "--verbose", is_flag=True, help="Every stage, and every reason.")
@click.option("--json", "as_json", is_flag=True, help="One event a line on standard output.")
def repro(targets: tuple[str, ...], values: tuple[str, ...], **options: bool | float | None) -> int:
    """Run the stages that a change reaches, and restore what is known already.

    STAGE is a stage's name, an output path, a folder or a glob; STAGE+ adds what depends on it. Without STAGE, the
    pipelines of the current folder and those below it. Upstreams are always included (except with --single).
    """
    if options["watch"]:
        everything, force, single = (bool(options[name]) for name in ("everything", "force", "single"))
        return _watch(Selection(targets, everything=everything, force=force, single=single), values, options)
    if options["twice"] and options["dry_run"]:
        raise click.UsageError("--verify-determinism does not go with --dry-run")
    made = time.time_ns()
    with open_session(writing=not options["dry_run"], values=values, pull=_flag(options["pull"])) as session:
        selection = Selection(
            targets,
            folder_in(session.project),
            everything=bool(options["everything"]),
            force=bool(options["force"]),
            single=bool(options["single"]),
            failed=session.memory.last.failed if options["failed"] else None,
        )
        if options["twice"]:
            return _verify_determinism(session, selection, as_json=bool(options["as_json"]))
        jobs = 1 if options["pdb"] else int(options["jobs"] or usable_cores())
        if options["dry_run"]:
            return _dry_run(session, selection, jobs, as_json=bool(options["as_json"]))
        report_remarks(session)
        run_options = RunOptions(
            jobs,
            bool(options["keep_going"]),
            options["budget"] or None,
            discard_edits=bool(options["discard"]),
            terminal=_terminal() if options["pdb"] else "",
        )
        live = not options["pdb"]
        with open_display(as_json=bool(options["as_json"]), detail=_detail(options), live=live) as display:
            for event in execute(session, selection, run_options):
                display.show(event)
        if display.unchanged:
            planner = session.planner()
            seen = seen_by_git(session.project, kept_paths(planner))
            remember_noop(session, planner, made, seen, ran=True)
        return _report_failures(session, selection) or display.exit_code


def _flag(value: bool | float | None) -> bool | None:
    return None if value is None else bool(value)


def _watch(selection: Selection, values: tuple[str, ...], options: Mapping[str, bool | float | None]) -> int:
    """Raises `UsageError` for what a watch cannot be combined with."""
    if others := [name for option, name in _NOT_WATCHED.items() if options[option]]:
        raise click.UsageError(f"--watch does not go with {others[0]}")
    from pivot.cli.watch import run_watch

    discard = bool(options["discard"])
    run_options = RunOptions(int(options["jobs"] or usable_cores()), keep_going=True, discard_edits=discard)
    return run_watch(selection, run_options, values, detail=_detail(options), as_json=bool(options["as_json"]))


def _detail(options: Mapping[str, bool | float | None]) -> Detail:
    return "quiet" if options["quiet"] else "verbose" if options["verbose"] else "normal"


def _terminal() -> str:
    try:
        return os.ttyname(0)
    except OSError:
        raise click.UsageError("--pdb needs a terminal as its standard input") from None


def _report_failures(session: Session, selection: Selection) -> int:
    if not session.failures():
        return 0
    planner = session.planner()
    return report_failures(session, planner, selection.apply(planner))


def _verify_determinism(session: Session, selection: Selection, *, as_json: bool) -> int:
    """The named stages alone, and not what they read."""
    planner = session.planner()
    names = selection.named(planner)
    verdicts = []
    for verdict in verify_determinism(session, planner, names):
        verdicts.append(verdict)
        for line in () if as_json else verdict_lines(verdict):
            click.echo(readable(line, colour=False))
    if as_json:
        click.echo(to_json(verdict_document(verdicts)))
    return report_failures(session, planner, names) or int(not all(verdict.holds for verdict in verdicts))


def _dry_run(session: Session, selection: Selection, jobs: int, *, as_json: bool) -> int:
    planner = session.planner()
    plan = planner.plan(selection.apply(planner))
    limits = read_limits(session.project.settings, jobs)
    expected = forecast(work_ahead(session.memory, planner, plan), plan.to_run(), limits)
    if as_json:
        click.echo(to_json({**status_document(plan.decisions.values()), "forecast": forecast_document(expected)}))
        return 0
    for line in (*dry_run_lines(plan), *forecast_lines(expected)):
        say(line)
    return 0
