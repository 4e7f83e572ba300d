"""`git pivot status --remote`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.cli.display import to_json
from pivot.project import Project
from pivot.reports.transfer import whereabouts_document, whereabouts_lines
from pivot.sharing.availability import find_whereabouts
from pivot.sync.transfer.transfer import Transfer


def ask_remote(*, as_json: bool) -> int:
    """Say of the outputs that HEAD stands on, on which side their bytes are."""
    with Project.open(Path.cwd()) as project, Transfer.open(project) as transfer:
        found = find_whereabouts(project, transfer)
    for line in [to_json(whereabouts_document(found))] if as_json else whereabouts_lines(found):
        click.echo(line)
    return 0
