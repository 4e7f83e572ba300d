"""After a commit, a merge or a rewrite: what is known of the new commit is noted, and outputs follow where it moved.

Lines are copied from a commit of the same tree. Otherwise the note is made as a run makes it, from the analyses that
are kept, while these stand: no code of the user's is imported by a hook. Where they do not, the next run notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing

from pivot.code.analysis.cache import load
from pivot.errors import LockTimeout
from pivot.git.odb.backend import Backend
from pivot.git.odb.open import open_reader
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.hooks.post_checkout import follow
from pivot.project import Project
from pivot.state.notes import Notes


def after_commit(location: RepositoryLocation, name: str, given: Sequence[str], rewritten: Iterable[str]) -> list[str]:
    """Do the work of the hook `name`; lines for the user. `rewritten` are the lines `<old> <new>` of post-rewrite.

    Raises:
        GitError: the repository cannot be read, or a note not be written.
    """
    head = location.read_ref("HEAD")
    if head is None or (name == "post-merge" and given[:1] == ["1"]):
        return []  # a squash merge has committed nothing yet
    pairs = [(old, new) for old, new in (line.split()[:2] for line in rewritten)]
    with Project(location) as project:
        if project.scratch or not (project.cache_dir / "code").is_dir():
            return []  # nothing was run in this work tree
        with closing(open_reader(location.git_dir, location.common_dir)) as backend:
            parents = backend.parents_of(head)
            _copy(project, backend, [*pairs, *((parent, head) for parent in parents)])
            if not Notes(backend).read(head):
                _note(project)
                # What a host has squashed or rebased has the files of a commit that was noted, and is no child of it.
                _copy(project, backend, [(Notes(backend).find(head)[0], head)])
    start = _start(location, name, given, pairs)
    return follow(location, start, head, merged=True) if start else []


def _start(location: RepositoryLocation, name: str, given: Sequence[str], pairs: list[tuple[str, str]]) -> str | None:
    """The commit whose outputs stand in the work tree, where this hook's command has moved from there."""
    if name == "post-merge":
        return location.read_ref("ORIG_HEAD")
    if name == "post-rewrite" and given[:1] == ["rebase"]:
        return pairs[-1][0] if pairs else location.read_ref("ORIG_HEAD")  # pre-commit does not hand the lines on
    return None


def _copy(project: Project, backend: Backend, pairs: Iterable[tuple[str, str]]) -> None:
    """Give each new commit the lines of the old one whose tree it has."""
    notes = Notes(backend)
    copied = {}
    for old, new in pairs:
        there = backend.has([old, new])
        if there >= {old, new} and backend.read_commit(old).tree == backend.read_commit(new).tree:
            lines = [line for group in notes.read(old).values() for line in group]
            if lines and not notes.read(new):
                copied[new] = lines
    if copied:
        notes.write(copied, f"{len(copied)} commits with the trees of others", project.author)


def _note(project: Project) -> None:
    """Note HEAD as a run would, if that takes no code of the user's and nobody is running."""
    files = project.discovery.pipelines()
    if not files or any(load(project.cache_dir, project.root, file) is None for file in files):
        return
    # Only here: the planner and all below it take ten times as long to import as a hook that has nothing to do.
    from pivot.pool.pool import WorkerPool
    from pivot.pool.server_pool import WorkerSettings
    from pivot.run.head_note import note_head
    from pivot.run.recorder import flush_journal
    from pivot.run.session import Session

    settings = WorkerSettings(
        project.root, project.store_path, project.pivot_dir / "logs", cache=str(project.cache_dir), link=project.link
    )
    try:
        with project.lock(), WorkerPool(settings) as workers:
            flush_journal(project, "commit: results of an interrupted run")
            note_head(project, Session(project, workers).planner())
    except LockTimeout:
        return  # the run that holds it writes the note
