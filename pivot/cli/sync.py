"""`git pivot fetch`, `pull` and `push`: results with the Git remote, the bytes of outputs with the outputs' remote."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from pivot.cli.display import say
from pivot.cli.session_setup import folder_in, take_lock
from pivot.cli.transfer_progress import show_moving
from pivot.errors import CheckFailed, ProjectError, TargetError
from pivot.git.plumbing.fetch_refspecs import list_remotes
from pivot.hooks.outputs import listed_outputs, remember_outputs
from pivot.hooks.wording import some
from pivot.maintenance.gc import state_of
from pivot.operations.checkout import check_out
from pivot.project import Project
from pivot.reports.transfer import moved_line, planned_line
from pivot.run.recorder import flush_journal
from pivot.sharing.outputs_to_move import Bringing, OutputSelection, Sharing
from pivot.state.ref_sync import State, choose_remote
from pivot.state.run_cache import REF
from pivot.store.exchange import as_object
from pivot.sync.remote.config import ADD_REMOTE, NO_REMOTE, choose_named, default_named, has_remote, named_remotes
from pivot.sync.transfer.transfer import JOBS, Transfer

MANY = 3  # outputs that one line names


class SyncOptions(Struct, frozen=True):
    """What the three commands take; `git` and `outputs` name remotes (None: the usual one)."""

    git: str | None
    outputs: str | None
    selection: OutputSelection
    dry_run: bool
    jobs: int


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """The arguments and options of the three commands."""
    for add in reversed(
        (
            click.argument("words", nargs=-1, metavar="[REMOTE]... [TARGET]..."),
            click.option("--rev", "revision", metavar="REV", help="Outputs that this commit stands on, by its note."),
            click.option("--all", "everything", is_flag=True, help="Outputs of every result that is known here."),
            click.option("-n", "--dry-run", is_flag=True, help="Say what would be moved, and move nothing."),
            click.option(
                "-j", "--jobs", type=click.IntRange(1, 32), default=JOBS, metavar="N", help="Large files at once."
            ),
            click.option("--git", "git", metavar="REMOTE", help="The Git remote, by name or URL."),
            click.option("-r", "--remote", "outputs", metavar="NAME", help="The remote of outputs, by name."),
        )
    ):
        command = add(command)
    return command


@click.command()
@_options
def fetch(**given: Any) -> int:
    """Bring results, where look-ups find them; and the bytes of outputs, into the store.

    Results come from the Git remote that `git fetch` would use, bytes from the remote of outputs (`git pivot remote`),
    where there is one. Words that name a remote say which; others are TARGETs: stages, outputs or globs, of HEAD or
    --rev. Without a TARGET, --rev or --all no bytes move. The work tree stays as it is.
    """
    with _open(given) as (project, options):
        _bring_state(project, options, lambda state, remote: state.fetch(remote))
        if options.selection.is_default:
            return 0
        with _transfer(project, options) as transfer:
            if transfer:
                _bring(Sharing(project, transfer), transfer, options)
    return 0


@click.command()
@_options
def pull(**given: Any) -> int:
    """Bring results and unite them with those made here; and outputs of HEAD that are not here, into their places.

    Results come from the Git remote that `git pull` would use, bytes from the remote of outputs (`git pivot remote`),
    where there is one. Words that name a remote say which; others are TARGETs: stages, outputs or globs. There are no
    conflicts, and nothing that stands in the work tree is replaced.
    """
    with _open(given) as (project, options):
        _bring_state(project, options, lambda state, remote: state.pull(remote))
        with _transfer(project, options) as transfer:
            bringing = _try_to_bring(project, transfer, options) if transfer else None
        if bringing and not options.dry_run and not options.selection.revision:
            _place(project, bringing)
    return 0


@click.command()
@_options
def push(**given: Any) -> int:
    """Give outputs to their remote, then results to the Git remote, united with those that it has.

    Outputs go to the remote of outputs (`git pivot remote`), where there is one, results to the Git remote that `git
    push` would use. Words that name a remote say which; others are TARGETs: stages, outputs or globs. By default
    everything goes that was recorded here since the last push; with a TARGET or --rev the bytes of these outputs only,
    and no results. Never overwrites anything; a push that was cut off goes on where it was.
    """
    with _open(given) as (project, options):
        tip = project.backend.ref_get(REF)
        sharing = None
        with _transfer(project, options) as transfer:
            if transfer:
                sharing = Sharing(project, transfer)
                _give(sharing, transfer, options)
        if options.selection.targets or options.selection.revision:
            return 0
        _push_state(project, options)
        if (
            sharing and not options.dry_run
        ):  # not before: what is on no Git remote does a clean-up of the outputs' remote take for dead one day
            sharing.remember_push(options.selection, tip)
    return 0


def _push_state(project: Project, options: SyncOptions) -> None:
    remote = _git_remote(project, options, pushing=True)
    if remote is None:
        return
    if options.dry_run:
        _say(remote, "would push", state_of(project).differing(remote, pushing=True))
        return
    pushed = state_of(project).push(remote)
    _say(remote, "new there", pushed.taken)
    if pushed.refused:
        told = "; ".join(f"{kind}: {reason}" for kind, reason in pushed.refused.items())
        raise CheckFailed(
            f"{remote} does not take results ({told})",
            hint="Ask who runs the server to allow refs/pivot and refs/notes/pivot (transfer.hideRefs, hooks).",
        )


def _give(sharing: Sharing, transfer: Transfer, options: SyncOptions) -> None:
    name = transfer.remote.name
    plan = sharing.plan_push(options.selection)
    if options.dry_run:
        say(planned_line(name, "push", plan))
        return
    say(moved_line(name, "pushed", transfer.send(plan)))


def _bring(sharing: Sharing, transfer: Transfer, options: SyncOptions) -> Bringing:
    name = transfer.remote.name
    bringing = sharing.plan_pull(options.selection)
    if options.dry_run:
        say(planned_line(name, "pull", bringing.plan))
        return bringing
    moved = transfer.receive(bringing.plan)
    sharing.remember_pull(bringing)
    say(moved_line(name, "pulled", moved))
    return bringing


def _try_to_bring(project: Project, transfer: Transfer, options: SyncOptions) -> Bringing | None:
    """That nothing is known of HEAD is an error only for who asked for something by name."""
    try:
        return _bring(Sharing(project, transfer), transfer, options)
    except TargetError as error:
        if not options.selection.is_default:
            raise
        say(f"no outputs were brought: {error.what}", err=True)
        return None


def _place(project: Project, bringing: Bringing) -> None:
    """Put outputs where nothing stands yet, and say which of those that came are in the store alone."""
    absent = {path: as_object(root) for path, root in bringing.outs.items() if not os.path.lexists(project.root / path)}
    left = [root.path for root in bringing.plan.roots if root.path in bringing.outs and root.path not in absent]
    if left:
        what = some(left, MANY, "outputs")
        say(f"what stands here is left as it is: {what}; `git pivot checkout` replaces it", err=True)
    if not absent:
        return
    with take_lock(project):
        done = check_out(project, absent, "git pivot pull", by_code=False)
        listed = listed_outputs(project)
        inside = {path for path in done.restored if path in {out for one in bringing.records for out in one.outs}}
        done.notices += remember_outputs(project, listed, listed | inside)
    for notice in (*done.notices, *done.left[:MANY]):
        say(notice, err=True)
    if done.left:
        more = f"and {len(done.left) - MANY} more; " if len(done.left) > MANY else ""
        say(f"{more}`git pivot checkout` puts in place what your code declares", err=True)
    if done.restored:
        say(f"{len(done.restored)} output{'' if len(done.restored) == 1 else 's'} put in place")


def _bring_state(project: Project, options: SyncOptions, bring: Callable[[State, str], list[str]]) -> None:
    remote = _git_remote(project, options)
    if remote is None:
        return
    if options.dry_run:
        _say(remote, "would fetch", state_of(project).differing(remote, pushing=False))
    else:
        _say(remote, "new here", bring(state_of(project), remote))


def _git_remote(project: Project, options: SyncOptions, *, pushing: bool = False) -> str | None:
    """The Git remote; none where there is a remote of outputs alone."""
    if options.git is not None:
        return options.git
    if has_remote(project.settings) and not list_remotes(project.location):
        say("there is no Git remote: results stay here, outputs move", err=True)
        return None
    return choose_remote(project.location, project.settings, pushing=pushing)


@contextmanager
def _transfer(project: Project, options: SyncOptions) -> Iterator[Transfer | None]:
    """A transfer with the remote of outputs; None if there is none and nothing asks for outputs.

    Raises:
        TargetError: outputs are asked for, and no remote, or none that is meant, may have them.
    """
    if options.outputs is None and not has_remote(project.settings):
        if not options.selection.is_default:
            raise TargetError(NO_REMOTE, hint=ADD_REMOTE)
        yield None
        return
    if options.outputs is None and options.selection.targets and default_named(project.settings) is None:
        names = [one.name for one in named_remotes(project.settings)]
        raise TargetError(
            f"which remote? There are {', '.join(names)}, and {options.selection.targets[0]} is none of them",
            hint=f"Name it before what is to be moved, or set one for always: git config pivot.remote {names[0]}",
        )
    with show_moving() as tell, Transfer.open(project, options.outputs, tell=tell, jobs=options.jobs) as transfer:
        yield transfer


@contextmanager
def _open(given: dict[str, Any]) -> Iterator[tuple[Project, SyncOptions]]:
    with Project.open(Path.cwd()) as project:
        if project.scratch:
            raise ProjectError("results cannot be kept here", where=f"{project.location.common_dir} is not writable")
        flush_journal(project)
        if notice := project.settings.unconfirmed_notice():
            click.echo(notice, err=True)
        yield project, _read_options(project, given)


def _read_options(project: Project, given: dict[str, Any]) -> SyncOptions:
    git, outputs, targets = given["git"], given["outputs"], list(given["words"])
    if git is None and outputs is None:
        git, outputs, targets = _take_remotes(project, targets)
    if outputs is not None:
        choose_named(project.settings, outputs)
    folder = folder_in(project)
    paths = tuple(_inside(folder, target) for target in targets)
    selection = OutputSelection(paths, given["revision"], given["everything"])
    return SyncOptions(git, outputs, selection, given["dry_run"], given["jobs"])


def _take_remotes(project: Project, words: Sequence[str]) -> tuple[str | None, str | None, list[str]]:
    """Words that name a remote are remotes, as in `git push origin`; the others are targets."""
    git = outputs = None
    targets = []
    stores = {one.name for one in named_remotes(project.settings)} if words else set()
    gits = list_remotes(project.location) if words else []
    for word in words:
        if word in stores:
            outputs = word
        elif word in gits or "://" in word or _is_repository(Path(word)):
            git = word
        else:
            targets.append(word)
    return git, outputs, targets


def _is_repository(path: Path) -> bool:
    """Whether this is a Git remote as `git push ../other` takes one, and not an output."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _inside(folder: str, target: str) -> str:
    """A target as seen from the repository's root; a stage's name has no slash and stays as it is at the root."""
    path = posixpath.normpath(posixpath.join(folder, target))
    return "" if path == "." else path


def _say(remote: str, what: str, kinds: list[str] | tuple[str, ...]) -> None:
    say(f"{remote}: {what}: {', '.join(kinds)}" if kinds else f"{remote}: nothing new")
