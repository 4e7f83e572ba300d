"""`git pivot params`."""

from __future__ import annotations

from typing import Any

import click

from pivot.cli.display import say, to_json
from pivot.cli.session_setup import folder_in, open_session, report_failures
from pivot.errors import TargetError
from pivot.history.param_values import Differing, differing, last_params, params_at
from pivot.plan.targets import select
from pivot.reports.params import differing_document, differing_lines, params_lines
from pivot.run.session import Session


@click.command()
@click.argument("action", type=click.Choice(["show", "diff"]), metavar="show|diff")
@click.argument("names", nargs=-1, metavar="[STAGE]...|[REV]")
@click.option("--set", "values", multiple=True, metavar="STAGE.NAME=VALUE", help="Another value for a parameter.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def params(action: str, names: tuple[str, ...], values: tuple[str, ...], as_json: bool) -> int:
    """Show parameters with the values that a run would have now, or what differs from before.

    `params show [STAGE]...` shows all values. `params diff` compares them with the last run of each stage, `params diff
    REV` with what the commit REV stands on.
    """
    with open_session(values=values) as session:
        if action == "show":
            _show(session, names, as_json=as_json)
        else:
            _diff(session, names, as_json=as_json)
        return report_failures(session, session.planner())


def _show(session: Session, targets: tuple[str, ...], *, as_json: bool) -> None:
    planner = session.planner()
    specs = {name: planner.stages[name].spec for name in planner.graph.order}
    named = select(targets, list(specs.values()), planner.graph, folder_in(session.project)) if targets else list(specs)
    stages = {name: specs[name].params for name in named}
    if as_json:
        click.echo(to_json({"version": 1, "stages": stages}))
        return
    for line in params_lines(stages):
        say(line)


def _diff(session: Session, revisions: tuple[str, ...], *, as_json: bool) -> None:
    if len(revisions) > 1:
        raise TargetError("params diff takes one revision", hint="git pivot params diff REV")
    found = _differing(session, *revisions)
    if as_json:
        click.echo(to_json(differing_document(found)))
        return
    for line in differing_lines(found):
        say(line)
    if not found:
        say("No parameter differs.")


def _differing(session: Session, revision: str | None = None) -> list[Differing]:
    """Stages that were not there then are new, and have nothing to compare."""
    planner = session.planner()
    now = {name: planner.stages[name].spec.params for name in planner.graph.order}
    old: dict[str, dict[str, Any] | None] = {name: last_params(session.memory, name) for name in now}
    if revision is not None:
        old = {**params_at(session.project.backend, session.memory, revision)}
    pairs = [(name, old.get(name), held) for name, held in now.items()]
    return [one for name, before, held in pairs if before is not None for one in differing(name, before, held)]
