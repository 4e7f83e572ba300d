"""`git pivot dag`."""

from __future__ import annotations

import click

from pivot.cli.display import say, to_json
from pivot.cli.session_setup import folder_in, open_session
from pivot.reports.dag import as_document, as_dot, as_mermaid, as_text, path_drawing, stage_drawing
from pivot.run.selection import Selection


@click.command()
@click.argument("targets", nargs=-1, metavar="[STAGE]...")
@click.option("--paths", is_flag=True, help="Draw the paths between the stages too.")
@click.option("--mermaid", "form", flag_value="mermaid", help="As a Mermaid flow chart.")
@click.option("--dot", "form", flag_value="dot", help="As a Graphviz graph.")
@click.option("--json", "form", flag_value="json", help="One JSON document on standard output.")
def dag(targets: tuple[str, ...], paths: bool, form: str | None) -> int:
    """Draw the stages and what connects them; with STAGE, these and their upstreams."""
    with open_session() as session:
        planner = session.planner()
        names = Selection(targets, folder_in(session.project), everything=not targets).apply(planner)
        specs = [planner.stages[name].spec for name in names]
        if form == "json":
            click.echo(to_json(as_document(specs, planner.graph)))
            return 0
        drawing = path_drawing(specs, planner.producers) if paths else stage_drawing(planner.graph, names)
        forms = {None: as_text, "mermaid": as_mermaid, "dot": as_dot}
        for line in forms[form](drawing):
            say(line)
    return 0
