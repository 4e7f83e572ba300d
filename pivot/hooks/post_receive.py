"""After a server has taken a push: run what is not reproduced (`pivot.ci = run`), one commit at a time.

Each commit is checked out into a repository of its own, which is gone afterwards. It knows the records that this server
has made itself, and none that was pushed. What the run finds out is checked and written into the server's repository,
where the next `git fetch` finds it; outputs go into the server's store.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from pivot.errors import LockTimeout, PivotError
from pivot.files import FileLock
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.history.commit_content import CommitContent
from pivot.hooks.run_results import Results, seed, take_over
from pivot.hooks.server_push import Rules, commits_of, is_code, parse_received, read_rules
from pivot.operations.clean_checkout import ReproProcess, own_tree
from pivot.operations.sandbox import Sandbox, SandboxFolders
from pivot.project import Project
from pivot.worker.spawn import python_command

FLUSH_LIMIT = 60.0  # seconds
DETACHED = "detached"  # the word by which the part that stays in the background knows itself


def after_receive(location: RepositoryLocation, lines: Sequence[str], *, detached: bool = False) -> Iterator[str]:
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
    if commits and rules.background and not detached:
        yield _send_away(location, lines, commits)
    elif commits:
        yield from _compute(location, commits, rules)


def _send_away(location: RepositoryLocation, lines: Sequence[str], commits: Mapping[str, str]) -> str:
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


def _compute(location: RepositoryLocation, commits: Mapping[str, str], rules: Rules) -> Iterator[str]:
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
        for left in ours.glob("git-pivot-again-*"):  # of a command that was killed
            shutil.rmtree(left, ignore_errors=True)
        for commit, name in commits.items():
            yield from _run(location, (commit, f"{name} ({commit[:8]})"), rules)


def _run(location: RepositoryLocation, what: tuple[str, str], rules: Rules) -> Iterator[str]:
    commit, name = what
    yield f"{name}: running, for {rules.limit:g} s at most"
    with Project(location) as project, own_tree(location, commit, folder=location.pivot_dir / "ci") as room:
        base = seed(project, room)
        store = project.store_path.absolute()
        sandbox = replace(rules.sandbox, readable=(*rules.sandbox.readable, str(store)))
        settings = _settings(room, store)
        with ReproProcess(room, limit=rules.limit, settings=settings, sandbox=sandbox) as repro:
            yield from repro.lines()
        if repro.code is None:
            _flush(room, settings, sandbox)
        try:
            results = take_over(project, room, commit, base, rules.name)
        except PivotError as error:
            results = Results({}, problems=(error.what,))
    yield from (f"{name}: {problem}" for problem in results.problems)
    yield f"{name}: {_outcome(repro.code, results, rules)}"


def _flush(room: SandboxFolders, settings: Mapping[str, str], sandbox: Sandbox) -> None:
    """A run that was killed has left its results in a journal, which this command takes from there."""
    with ReproProcess(room, "verify", limit=FLUSH_LIMIT, settings=settings, sandbox=sandbox) as flush:
        for _ in flush.lines():
            pass


def _outcome(code: int | None, results: Results, rules: Rules) -> str:
    if code == 0 and results.is_complete:
        return f"reproduced on {rules.name}; `git fetch` brings the results"
    if code is None:
        return f"ended after {rules.limit:g} s (pivot.ciTimeout); what had ended by then is kept"
    if code == 0:
        return "not reproduced: the run has not noted a result for each stage of this commit"
    if code == 1 and results.lines:
        return "not reproduced: a stage failed; `git fetch` brings what ended well"
    return f"not reproduced: `git pivot repro` ended with {code}"


def _settings(room: SandboxFolders, store: Path) -> dict[str, str]:
    """What pushed code has no say in: where outputs are kept and come from, and that Git leaves the refs alone."""
    found = {"pivot.store": str(room.root / ".git/pivot/store.git"), "maintenance.auto": "false", "gc.auto": "0"}
    if store.is_dir():
        found |= {"pivot-remote.server.url": str(store), "pivot.remote": "server", "pivot.pull": "auto"}
    return found
