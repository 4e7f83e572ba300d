"""Commands about the store: `checkout`, `fsck`, `gc`, `du`."""

from __future__ import annotations

import posixpath
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pivot.cli.display import say, to_json
from pivot.cli.session_setup import flush_if_possible, folder_in, open_session, refuse_recursion
from pivot.errors import CheckFailed
from pivot.files import remove_quietly
from pivot.maintenance.disk_usage import measure
from pivot.maintenance.fsck import Checked, check_store
from pivot.maintenance.gc import collect_garbage, state_of
from pivot.maintenance.remote_fsck import check_remote
from pivot.maintenance.remote_gc import ask_everybody, clean_remote, push_removals
from pivot.operations.checkout import LEFT_HINT, CheckedOut, check_out, choose, outputs_at, present_outputs
from pivot.project import Project
from pivot.reports.fsck import fsck_document, fsck_lines
from pivot.reports.usage import cleaned_line, collected_line, usage_document, usage_lines
from pivot.run.recorder import flush_journal
from pivot.state.ref_sync import Pushed, State
from pivot.sync.transfer.prune_remote import Terms
from pivot.sync.transfer.transfer import Transfer

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
        why = f"git pivot checkout{f' --rev {revision}' if revision else ''}"
        done = check_out(project, wanted, why, by_code=expected.by_code)
    refused = expected.refused if not paths else ()
    _say(done, expected.unknown if not (paths or refused) else (), revision)
    if done.missing:
        raise CheckFailed(
            f"the store does not have the bytes of {', '.join(done.missing)}",
            hint="`git pivot pull` brings what a remote has; `git pivot repro` makes it again.",
        )
    if done.left:
        raise CheckFailed("\n".join(done.left), hint=LEFT_HINT)
    if refused:
        raise CheckFailed("\n".join(refused), hint=f"Check out {revision} and run `git pivot repro` to replace them.")
    return 0


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--keep-runs", "keep", type=Span(), default="30d", metavar="TIME", help="Age up to which results stay.")
@click.option("--remote", metavar="NAME", help="Also clean up this remote of outputs.")
@click.option("--age", type=Span(), default="14d", metavar="TIME", help="What came to the remote since then stays.")
@click.option("--rewrite", metavar="REMOTE", help="Also shorten the history of results, here and there.")
def gc(dry_run: bool, keep: float, remote: str | None, age: float, rewrite: str | None) -> int:
    """Remove results that nothing needs any more, and their bytes from the store.

    What stays: results that a commit of any branch, tag, stash, reflog or work tree stands on, those of the last 30
    days (--keep-runs: 12h, 6w, 0), those that stand in a work tree, and edits that were put away within 90 days. Where
    several repositories share a store, what any of them needs stays. Waits for running commands.

    With --remote the bytes go there too, and what nobody knows; what came there within 14 days (--age) stays, and what
    somebody pushed or relied on within a day. Every Git remote whose clones push there is asked first; where one cannot
    be reached, nothing is removed. Pushers wait meanwhile.

    With --rewrite one commit takes the place of all that led to the present results and notes on a Git remote, so that
    what was removed takes no room there. Other clones follow at their next `git pivot pull` or `push`, and keep what
    they have not pushed yet.
    """
    with Project.open(Path.cwd()) as project:
        refuse_recursion(project)  # a stage would wait for the lock of the command that runs it
        flush_journal(project)
        state = state_of(project)
        if rewrite and not dry_run:
            state.pull(rewrite)
            project.runs.refresh()
        with _cleaning(project, state, remote, dry_run=dry_run) as clean:
            done = collect_garbage(project, keep, dry_run=dry_run, say=lambda text: say(text, err=True))
            say(collected_line(done, dry_run=dry_run))
            clean(keep, age)
        if rewrite and not dry_run:
            _say_shortened(rewrite, state.shorten(rewrite, "gc: one commit for the history before it"))
    return 0


@contextmanager
def _cleaning(
    project: Project, state: State, remote: str | None, *, dry_run: bool
) -> Iterator[Callable[[float, float], None]]:
    """What cleans up a remote after the store here; everybody is asked before anything is removed anywhere."""
    if remote is None:
        yield lambda keep, age: None
        return
    with Transfer.open(project, remote) as transfer:
        needs = ask_everybody(project, transfer, state, dry_run=dry_run)

        def clean(keep: float, age: float) -> None:
            if not dry_run:
                push_removals(project, state)
            done = clean_remote(project, transfer, needs, keep, Terms(needs.origins, age, dry_run))
            say(f"{remote}: {cleaned_line(done, dry_run=dry_run)}")

        yield clean


@click.command()
@click.option("--remote", metavar="NAME", help="Check what this remote has, and not the store here.")
@click.option("--mend", is_flag=True, help="With --remote: send again what is wrong there and whole here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def fsck(remote: str | None, mend: bool, as_json: bool) -> int:
    """Read every byte of every result that is known here, and say what is missing or damaged.

    Says for each result what it lost and what brings it back; exit code 1 if there is such a one. A damaged object
    counts as missing from then on, and is never given out. Results that were made elsewhere and never brought here are
    only counted. With --remote it is the remote whose bytes are read, over the line.
    """
    if mend and not remote:
        raise click.UsageError("--mend goes with --remote NAME")
    with Project.open(Path.cwd()) as project:
        flush_if_possible(project)
        with _telling("checking") as tell:
            checked = _check_remote(project, remote, tell, mend=mend) if remote else check_store(project, tell)
        _forget_noop(project)
    for line in [to_json(fsck_document(checked))] if as_json else fsck_lines(checked, remote or ""):
        say(line)
    return 0 if checked.sound else CheckFailed.exit_code


def _check_remote(project: Project, name: str, tell: Callable[[int, int], None], *, mend: bool) -> Checked:
    with Transfer.open(project, name) as transfer:
        return check_remote(project, transfer, tell, mend=mend)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output, sizes in bytes.")
def du(as_json: bool) -> int:
    """Say how many bytes the results of each stage take in the store, and how many of them are in use.

    In use is what `git pivot gc` would leave. A file that several results have is counted once a stage.
    """
    with Project.open(Path.cwd()) as project:
        flush_if_possible(project)
        usage = measure(project)
    for line in [to_json(usage_document(usage))] if as_json else usage_lines(usage):
        say(line)
    return 0


@contextmanager
def _telling(what: str) -> Iterator[Callable[[int, int], None]]:
    """Tell a terminal how far the work is, from the second second on."""
    shown = time.monotonic()
    told = False

    def tell(done: int, of: int) -> None:
        nonlocal shown, told
        if sys.stderr.isatty() and time.monotonic() - shown > 1:
            click.echo(f"\r{what} {done}/{of}", nl=False, err=True)
            shown, told = time.monotonic(), True

    try:
        yield tell
    finally:
        if told:
            click.echo("\r\033[K", nl=False, err=True)


def _say_shortened(remote: str, pushed: Pushed) -> None:
    if pushed.refused:
        told = "; ".join(f"{kind}: {reason}" for kind, reason in pushed.refused.items())
        raise CheckFailed(
            f"{remote} keeps its history of results ({told}); nothing changed there",
            hint="Ask who runs the server to allow this once.",
        )
    told = f"history shortened to one commit: {', '.join(pushed.taken)}" if pushed.taken else "no results to shorten"
    say(f"{remote}: {told}")


def _forget_noop(project: Project) -> None:
    """What was found missing is no reason to say "nothing to do" from memory."""
    remove_quietly(project.cache_dir / "settled")


def _say(done: CheckedOut, unknown: tuple[str, ...], revision: str | None) -> None:
    for notice in done.notices:
        say(notice, err=True)
    if unknown:
        where = revision or "the present situation"
        say(f"no result is known for {where}: {', '.join(unknown)}", err=True)
    noun = "output" if len(done.restored) == 1 else "outputs"
    say(f"{len(done.restored)} {noun} restored, {len(done.unchanged)} in place already")
