"""`git pivot verify`."""

from __future__ import annotations

from pathlib import Path

import click

from pivot.cli.display import to_json
from pivot.errors import TargetError
from pivot.plan.attest import attest, commits_in, resolve_commit
from pivot.project import Project
from pivot.reports.verify import verify_document, verify_lines
from pivot.run.recorder import flush_journal


@click.command()
@click.argument("revisions", nargs=-1, metavar="[REV]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def verify(revisions: tuple[str, ...], as_json: bool) -> int:
    """Check that what commits claim to stand on is here and holds together; nothing is run.

    REV is a commit (HEAD, if none is named) or a range such as main..topic. For each stage: the note has a result, its
    record is consistent, the store has every byte, and what it read is what the commit holds. Ends with 1 where not.
    """
    with Project.open(Path.cwd()) as project:
        flush_journal(project, "repro: results of an interrupted run")
        checked = [attest(project, commit) for commit in _commits(project, revisions or ("HEAD",))]
    if as_json:
        click.echo(to_json(verify_document(checked)))
    for line in () if as_json else verify_lines(checked):
        click.echo(line)
    return 1 if any(one.problems for one in checked) else 0


def _commits(project: Project, revisions: tuple[str, ...]) -> list[str]:
    found: dict[str, None] = {}
    for revision in revisions:
        if ".." in revision and not revision.startswith(("-", ":/")):
            listed = commits_in(project, revision)
        else:
            commit = resolve_commit(project, revision)
            listed = [commit] if commit else None
        if listed is None:
            raise TargetError(f"there is no commit {revision}", hint="git log")
        found.update(dict.fromkeys(listed))
    return list(found)
