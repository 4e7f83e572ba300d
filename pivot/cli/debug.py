"""`git pivot debug`."""

from __future__ import annotations

import os
import sys

import click

from pivot.cli.session_setup import open_session, pick_stage
from pivot.git.plumbing.command import clean_environment
from pivot.worker.repl import debug_command


@click.command()
@click.argument("stage")
@click.option("--set", "values", multiple=True, metavar="STAGE.NAME=VALUE", help="Another value for a parameter.")
def debug(stage: str, values: tuple[str, ...]) -> int:
    """Open a Python prompt in which the inputs of STAGE are loaded.

    Inputs are read as they stand in the work tree. `stage(**inputs)` calls the function; nothing is recorded.
    """
    with open_session(values=values) as session:
        spec = pick_stage(session, stage)
        command = debug_command(session.workers.settings.setup(spec.file), spec.name)
    sys.stdout.flush()
    # In place of this process: so keys such as Ctrl-C reach the prompt and nobody else.
    os.execve(command[0], command, clean_environment(os.environ))
