"""Commands about outputs: `adopt`, `clean`, `saved`, `get`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.cli.opening import folder_in, open_session
from pivot.errors import TargetError
from pivot.plan.targets import select
from pivot.project import Project
from pivot.reports.run import size
from pivot.run.adopt import adopt_outputs
from pivot.run.cleaning import clean_outputs
from pivot.store.saved import Saved


@click.command()
@click.argument("stage")
@click.option("-m", "--message", "why", required=True, help="Why these outputs count; kept with the record.")
def adopt(stage: str, why: str) -> int:
    """Let the outputs that stand in place count as STAGE's result for its present situation.

    For results made by hand or by another tool. Who did it, when and why is kept in the run history.
    """
    with open_session(writing=True) as session:
        record = adopt_outputs(session, stage, why)
        click.echo(f"{stage}: adopted {len(record.outs)} outputs as the result of {record.fingerprint[:12]}")
    return 0


@click.command()
@click.argument("targets", nargs=-1, metavar="[STAGE]...")
def clean(targets: tuple[str, ...]) -> int:
    """Remove outputs whose bytes are in the store, and nothing else; `git pivot repro` brings them back."""
    with open_session(writing=True) as session:
        planner = session.planner()
        specs = [stage.spec for stage in planner.stages.values()]
        names = select(targets, specs, planner.graph, folder_in(session.project)) if targets else planner.graph.order
        removed, kept = clean_outputs(session.project, [planner.stages[name].spec for name in names])
        for path in kept:
            click.echo(f"kept {path}: its bytes are not in the store")
        click.echo(f"removed {len(removed)} output{'' if len(removed) == 1 else 's'}")
    return 0


@click.command()
def saved() -> int:
    """List edits of outputs that were put away before a path was replaced."""
    with Project.open(Path.cwd()) as project:
        for entry in Saved(project.pivot_dir / "saved").entries():
            click.echo(
                f"{entry.object.id[:12]}  {entry.time}  {size(entry.object.size):>9}  {entry.path}  ({entry.why})"
            )
    return 0


@click.command()
@click.argument("start", metavar="ID")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Where to write it.")
def get(start: str, output: Path) -> int:
    """Write a saved edit, named by the start of its id, to a file or folder that does not exist yet."""
    with Project.open(Path.cwd()) as project:
        found = {
            entry.object for entry in Saved(project.pivot_dir / "saved").entries() if entry.object.id.startswith(start)
        }
        if len(found) != 1:
            what = "no saved edit has" if not found else "several saved edits have"
            raise TargetError(f"{what} an id that starts with {start}", hint="`git pivot saved` lists them.")
        if output.exists():
            raise TargetError(f"{output} is there already", hint="Choose another name with -o.")
        project.store.restore(found.pop(), output.absolute(), project.stats)
    return 0
