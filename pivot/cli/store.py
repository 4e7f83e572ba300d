"""Commands about the store: `checkout`, `fsck`, `gc`, `du`."""

from __future__ import annotations

import posixpath

import click

from pivot.cli.opening import folder_in, open_session
from pivot.errors import CheckFailed
from pivot.run.checkout import CheckedOut, check_out, choose, outputs_at, present_outputs


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


def _say(done: CheckedOut, unknown: tuple[str, ...], revision: str | None) -> None:
    for notice in done.notices:
        click.echo(notice, err=True)
    if unknown:
        where = revision or "the present situation"
        click.echo(f"no result is known for {where}: {', '.join(unknown)}", err=True)
    noun = "output" if len(done.restored) == 1 else "outputs"
    click.echo(f"{len(done.restored)} {noun} restored, {len(done.unchanged)} in place already")
