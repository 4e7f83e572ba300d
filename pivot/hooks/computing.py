"""After a server has taken a push: run what is not reproduced (`pivot.ci = run`), one commit at a time.

Each commit is checked out into a work tree of its own, which is gone afterwards. Records and notes go into the
repository, where the next `git fetch` finds them; outputs go into the server's store.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pivot.errors import LockTimeout
from pivot.files import FileLock
from pivot.git.locate import Location, locate
from pivot.hooks.received import Rules, commits_of, is_code, parse_received, read_rules
from pivot.plan.commit_content import CommitContent
from pivot.project import Project
from pivot.run.elsewhere import Repro, linked_tree
from pivot.run.recorder import flush_journal
from pivot.run.spawned import python_command

DETACHED = "detached"  # the word by which the part that stays in the background knows itself


def after_receive(location: Location, lines: Sequence[str], *, detached: bool = False) -> Iterator[str]:
    """Do what the owner of the server asks for; lines for who pushed, as things happen.

    Raises:
        GitError: the repository cannot be read or written.
        SettingError: a setting means nothing.
    """
    refs = [ref for ref in parse_received(lines) if is_code(ref)]
    if not refs:
        return
    with Project(location) as project:
        rules = read_rules(project.settings)
        if rules.mode != "run":
            return
        found = commits_of(location, project.backend, refs, rules)
        commits = {
            commit: name
            for commit, name in found.items()
            if CommitContent(location, project.backend, commit).pipelines()
        }
        store = str(project.store_path.absolute())
    if commits and rules.background and not detached:
        yield _send_away(location, lines, commits)
    elif commits:
        yield from _compute(location, commits, rules, store)


def _send_away(location: Location, lines: Sequence[str], commits: Mapping[str, str]) -> str:
    """Go on in a process of its own, so that who pushed need not wait; all that it says goes into a file."""
    log = location.pivot_dir / "logs" / f"ci-{next(iter(commits))[:12]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output, tempfile.TemporaryFile() as told:
        told.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
        told.seek(0)
        subprocess.Popen(
            python_command("pivot", "hook", "post-receive", DETACHED),
            cwd=location.git_dir,
            env=location.environment(),
            stdin=told,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    names = ", ".join(f"{name} ({commit[:8]})" for commit, name in commits.items())
    return f"{names}: runs in the background, `git fetch` brings the results later; the server's log is {log}"


def _compute(location: Location, commits: Mapping[str, str], rules: Rules, store: str) -> Iterator[str]:
    ours = location.pivot_dir / "ci"
    lock = FileLock(ours / "lock", f"the run of {', '.join(commits.values())} after a push")
    try:
        lock.acquire()
    except LockTimeout as error:
        yield f"waiting, one push runs at a time: {error.what}"
        try:
            lock.acquire(rules.limit)
        except LockTimeout as late:
            yield f"nothing was run: {late.what}"
            return
    with lock:
        for commit, name in commits.items():
            yield from _run(location, (commit, f"{name} ({commit[:8]})"), rules, (ours / "tree", store))


def _run(location: Location, what: tuple[str, str], rules: Rules, places: tuple[Path, str]) -> Iterator[str]:
    (commit, name), (folder, store) = what, places
    yield f"{name}: running, for {rules.limit:g} s at most"
    # What was pushed does not choose the store: a relative path would lead elsewhere from this work tree.
    with linked_tree(location, commit, folder) as root:
        with Repro(root, limit=rules.limit, settings={"pivot.store": store}) as repro:
            yield from repro.lines()
        _keep(root)
    match repro.code:
        case 0:
            yield f"{name}: reproduced; `git fetch` brings the results"
        case 1:
            yield f"{name}: not reproduced: a stage failed; `git fetch` brings what ended well"
        case None:
            yield f"{name}: ended after {rules.limit:g} s (pivot.ciTimeout); what had ended by then is kept"
        case code:
            yield f"{name}: not reproduced: `git pivot repro` ended with {code}"


def _keep(root: Path) -> None:
    """A run that was killed has left its results in a journal, which goes with the work tree."""
    with Project(locate(root)) as project:
        flush_journal(project, "repro: results of a run that was ended")
