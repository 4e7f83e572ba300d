"""`git pivot status`."""

from __future__ import annotations

import time

import click

from pivot.cli.display import say, to_json
from pivot.cli.remember_noop import remember_noop
from pivot.cli.session_setup import folder_in, open_session, report_failures, report_remarks
from pivot.plan.targets import select
from pivot.reports.explain import explain
from pivot.reports.status import status_document, status_lines
from pivot.run.git_exclude import seen_by_git
from pivot.run.outputs import kept_paths


@click.command()
@click.argument("targets", nargs=-1, metavar="[STAGE]...")
@click.option("--explain", "explained", is_flag=True, help="Say what changed: code, data, parameters, outputs.")
@click.option("--diff", "diffed", is_flag=True, help="With --explain: the changed lines of the source too.")
@click.option("--remote", "asked", is_flag=True, help="Say whose bytes are here only, or on the remote only.")
@click.option("--set", "values", multiple=True, metavar="STAGE.NAME=VALUE", help="Another value for a parameter.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def status(targets: tuple[str, ...], values: tuple[str, ...], as_json: bool, **options: bool) -> int:
    """Say what `repro` would do with each stage, and why. Nothing is run, and no file is touched."""
    if options["asked"]:
        from pivot.cli.whereabouts import ask_remote  # what moves bytes is not needed for anything else here

        return ask_remote(as_json=as_json)
    made = time.time_ns()
    with open_session(values=values) as session:
        planner = session.planner()
        specs = [stage.spec for stage in planner.stages.values()]
        wanted = select(targets, specs, planner.graph, folder_in(session.project)) if targets else planner.graph.order
        plan = planner.plan(wanted)
        if as_json:
            click.echo(to_json(status_document(plan.decisions.values())))
        elif options["explained"] or options["diffed"]:
            source = session.source if options["diffed"] else None
            blocks = ["\n".join(explain(one, source)) for one in plan.decisions.values() if targets or one.reasons]
            say("\n\n".join(blocks) if blocks else "\n".join(status_lines(plan)))
        else:
            for line in status_lines(plan):
                say(line)
        report_remarks(session)
        seen = seen_by_git(session.project, kept_paths(planner))
        for text in seen:
            say(f"warning: {text}", err=True)
        if plan.nothing_to_do:
            remember_noop(session, planner, made, seen, ran=False)
        return report_failures(session, planner, wanted)
