"""Commands about the store: `checkout`, `fsck`, `gc`, `du`."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import click

from pivot.cli.opening import folder_in, open_session
from pivot.errors import CheckFailed
from pivot.project import Project
from pivot.reports.usage import collected_line
from pivot.run.checkout import CheckedOut, check_out, choose, outputs_at, present_outputs
from pivot.run.gc import collect_garbage
from pivot.run.recorder import flush_journal

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class Span(click.ParamType[float]):
    """A length of time such as 30d, in seconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+)([smhdw]?)", str(value))
        if found is None or (not found[2] and found[1] != "0"):
            self.fail(f"{value!r} is no length of time such as 30d, 12h or 0", param, ctx)
        return float(found[1]) * _SECONDS[found[2] or "s"]


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--rev", "revision", metavar="REV", help="Outputs of this commit, by its note.")
def checkout(paths: tuple[str, ...], revision: str | None) -> int:
    """Bring outputs into place whose results are known; nothing is run.

    Those of the present code, data and parameters, or with --rev those of a commit. PATH is an output, a folder above
    outputs, a path inside a directory output, or a glob. Edits that nobody else has are kept first (`git pivot saved`);
    a path that Git tracks is left alone.
    """
    with open_session(writing=True) as session:
        project = session.project
        folder = folder_in(project)
        targets = [posixpath.normpath(posixpath.join(folder, path)) for path in paths]
        expected = outputs_at(project, revision) if revision else present_outputs(session)
        wanted = choose(project, expected, ["" if target == "." else target for target in targets])
        done = check_out(project, wanted, f"git pivot checkout{f' --rev {revision}' if revision else ''}")
    _say(done, expected.unknown if not paths else (), revision)
    if done.missing:
        raise CheckFailed(
            f"the store does not have the bytes of {', '.join(done.missing)}",
            hint="`git pivot pull` brings what a remote has; `git pivot repro` makes it again.",
        )
    return 0


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--keep-runs", "keep", type=Span(), default="30d", metavar="TIME", help="Age up to which results stay.")
def gc(dry_run: bool, keep: float) -> int:
    """Remove results that nothing needs any more, and their bytes from the store.

    What stays: results that a commit of any branch, tag, stash, reflog or work tree stands on, those of the last 30
    days (--keep-runs: 12h, 6w, 0), those that stand in a work tree, and edits that were put away within 90 days. Where
    several repositories share a store, what any of them needs stays. Waits for running commands.
    """
    with Project.open(Path.cwd()) as project:
        flush_journal(project, "repro: results of an interrupted run")
        done = collect_garbage(project, keep, dry_run=dry_run, say=lambda text: click.echo(text, err=True))
        click.echo(collected_line(done, dry_run=dry_run))
    return 0


def _say(done: CheckedOut, unknown: tuple[str, ...], revision: str | None) -> None:
    for notice in done.notices:
        click.echo(notice, err=True)
    if unknown:
        where = revision or "the present situation"
        click.echo(f"no result is known for {where}: {', '.join(unknown)}", err=True)
    noun = "output" if len(done.restored) == 1 else "outputs"
    click.echo(f"{len(done.restored)} {noun} restored, {len(done.unchanged)} in place already")
