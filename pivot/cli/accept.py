"""`git pivot accept`."""

from __future__ import annotations

import click

from pivot.cli.display import say
from pivot.cli.session_setup import open_session, pick_stage
from pivot.operations.accept import accept_change, revoke_acceptance
from pivot.state.accepted import Acceptance


@click.command()
@click.argument("stage", required=False)
@click.option("-m", "--message", "why", help="Why the change is harmless; kept with the entry.")
@click.option("--revoke", is_flag=True, help="Take it back.")
@click.option("--list", "listed", is_flag=True, help="Show all that is accepted.")
def accept(stage: str | None, why: str | None, revoke: bool, listed: bool) -> int:
    """Declare a change harmless: STAGE's last result counts for its present situation, and it is not run.

    Who did it, when and why is shared with everybody who fetches results, and `--revoke` takes it back.
    """
    if not listed and not stage:
        raise click.UsageError("name a stage, or use --list")
    if stage and not revoke and not why:
        raise click.UsageError("say why with -m")
    with open_session(writing=not listed) as session:
        name = pick_stage(session, stage).name if stage else ""
        if not name:
            for one in session.memory.accepted.all():
                say(_line(one))
        elif revoke:
            say(f"revoked: {_line(revoke_acceptance(session, name))}")
        else:
            say(f"accepted: {_line(accept_change(session, name, why or ''))}")
    return 0


def _line(one: Acceptance) -> str:
    return f"{one.stage}  {one.new[:12]} counts as {one.fingerprint[:12]}  {one.when}  {one.who}  {one.why}"
