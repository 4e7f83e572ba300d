"""What every command that looks at pipelines begins with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pivot.cli.display import say
from pivot.errors import CodeError, LockTimeout, ProjectError, StoreError, TargetError
from pivot.files import write_atomic
from pivot.git.plumbing.fetch_refspecs import list_remotes
from pivot.pipeline.overrides import Given, given_options, given_variables
from pivot.pipeline.spec import StageSpec
from pivot.plan.planner import Planner
from pivot.plan.targets import select
from pivot.pool.connection import INSIDE
from pivot.pool.pool import WorkerPool
from pivot.project import Project
from pivot.reports.ansi import readable
from pivot.reports.remarks import remark_lines
from pivot.run.recorder import flush_journal
from pivot.run.session import Session
from pivot.run.worker_settings import recover_outputs, worker_settings
from pivot.state.run_cache import REF

FOREVER = 10 * 365 * 86400.0


@contextmanager
def open_session(*, writing: bool = False, values: Sequence[str] = (), pull: bool | None = None) -> Iterator[Session]:
    """A session on the repository of the current folder; `values` are those of `--set`, `pull` that of `--pull`.

    With `writing` the work tree's lock is held, and what a killed command left behind is put right first.
    """
    options = given_options(values)
    with ExitStack() as stack:
        project = stack.enter_context(Project.open(Path.cwd()))
        refuse_recursion(project)
        if project.scratch:
            say(f"warning: {project.location.common_dir} cannot be written: nothing will be recorded", err=True)
        elif writing:
            stack.enter_context(take_lock(project))
            for line in recover_outputs(project):
                say(line, err=True)
        _flush_journal(project, writing=writing)
        given = (*given_by_environment(project), *options)
        yield Session(project, stack.enter_context(WorkerPool(worker_settings(project, given))), pull=pull)


def _flush_journal(project: Project, *, writing: bool) -> None:
    if writing:
        flush_journal(project)
    else:
        flush_if_possible(project)


def flush_if_possible(project: Project) -> None:
    """Bring what an interrupted run left into the run cache; one that is under way does so itself."""
    if not project.journal.exists() or project.scratch:
        return
    try:
        with project.lock():
            flush_journal(project)
    except LockTimeout:
        return
    except StoreError as error:
        say(f"warning: results of an interrupted run wait in the journal: {error.what}", err=True)


def report_failures(session: Session, planner: Planner, names: Iterable[str] | None = None) -> int:
    """Say which pipelines could not be imported; the exit code that this calls for, with `names` for these stages.

    Stages that neither are in such a pipeline nor read what it writes are none the worse for it.
    """
    failures = session.failures()
    if not failures:
        return 0
    for failure in failures:
        stages = [stage.name for stage in failure.stages if stage.name in planner.broken]
        left_out = f"blocked: {', '.join(stages)}" if stages else "its stages are left out"
        said = readable(failure.message, colour=False)
        say(f"error: {failure.file} cannot be imported; {left_out}\n{said}", err=True)
    unknown = any(not failure.stages for failure in failures)
    touched = names is None or any(name in planner.broken or planner.unsure(name) for name in names)
    return CodeError.exit_code if (unknown or touched) else 0


def report_remarks(session: Session) -> None:
    """Say what of the stages' code cannot be tracked; in a new clone, that others may have run them already."""
    for line in remark_lines(session.model()):
        say(line, err=True)
    _report_unconfirmed(session.project)
    if knows_no_results(session.project):
        say("results of others are not known here: `git pivot init` brings them", err=True)


def _report_unconfirmed(project: Project) -> None:
    """Name addresses of .pivotconfig that do not count: once, and again when one of them changes."""
    settings, mark = project.settings, project.cache_dir / "unconfirmed"
    said = "\n".join(map(str, settings.unconfirmed)).encode("utf-8", "surrogateescape")
    with suppress(OSError):  # where nothing can be written it is said again
        if mark.exists() and mark.read_bytes() == said:
            return
        if said:
            write_atomic(mark, said)
        else:
            mark.unlink(missing_ok=True)
    if notice := settings.unconfirmed_notice():
        say(notice, err=True)


def knows_no_results(project: Project) -> bool:
    """Whether nothing has been run here and nothing was fetched, with a Git remote that may have results."""
    backend = project.backend
    known = backend.ref_get(REF) or backend.refs("refs/pivot-remotes/")
    return not known and bool(list_remotes(project.location))


def folder_in(project: Project) -> str:
    """The current folder, relative to the repository ("": its root, or a bare repository)."""
    if project.location.root is None:
        return ""
    folder = os.path.relpath(Path.cwd(), project.root.resolve())
    return "" if folder == "." else folder


def pick_stage(session: Session, target: str) -> StageSpec:
    """The one stage that a target names. Raises `TargetError`."""
    planner = session.planner()
    specs = {held.spec.name: held.spec for held in planner.stages.values()}
    names = select([target], list(specs.values()), planner.graph, folder_in(session.project))
    if len(names) > 1:
        raise TargetError(f"{target} names {len(names)} stages", hint=f"Name one: {', '.join(names[:5])}.")
    return specs[names[0]]


def refuse_recursion(project: Project) -> None:
    """A pipeline that calls us while we import it, or a stage while we run it, would do so without end."""
    if os.environ.get(INSIDE) == str(project.location.folder):
        raise ProjectError(
            "git pivot is called by code of this repository that git pivot is importing or running",
            where=str(project.location.folder),
            hint="Call the stage's function instead, or declare what it needs as a dep.",
        )


def given_by_environment(project: Project) -> tuple[Given, ...]:
    found = given_variables(os.environ)
    return found if found and project.settings.get_bool("pivot.envParams", False) else ()


@contextmanager
def take_lock(project: Project) -> Iterator[None]:
    """Hold the work tree's lock; says so while it has to wait for it."""
    lock = project.lock()
    try:
        lock.acquire()
    except LockTimeout as error:
        say(f"waiting: {error.what}", err=True)
        lock.acquire(FOREVER)
    with lock:
        yield
