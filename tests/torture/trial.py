"""One trial: a command is killed at a random moment, and the repository must be whole afterwards."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import subprocess
from typing import NamedTuple

from tests.support.repository import PIVOT
from tests.torture.kill import MARK, Windows, kill, wait_for_end
from tests.torture.project import Project

COMMANDS = (
    "repro", "checkout", "gc", "rewrite", "push", "pull", "switch", "rebase", "commit", "git pull",
)  # fmt: skip
TRANSFERS = ("push", "pull")
_counter = itertools.count()


class Trial(NamedTuple):
    """What was killed; `killed` is False if the command was faster, or was only measured."""

    command: str
    kind: str
    killed: bool
    remote: str = ""

    def __str__(self) -> str:
        where = f" {self.remote}" if self.remote else ""
        return f"{self.command}{where}, {self.kind}{'' if self.killed else ' (was faster)'}"


def torture(project: Project, chance: random.Random, windows: Windows, command: str = "") -> Trial:
    """One trial, with this command or any; the first of a command is not killed but measured."""
    project.change(str(chance.randrange(1000)))
    command = command or chance.choice(COMMANDS)
    remote = chance.choice(project.remotes)
    words = _prepare(project, command, remote, chance)
    name = f"{os.getpid()}-{next(_counter)}"
    process = subprocess.Popen(
        words, cwd=project.repo.path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **project.environment, MARK: name}, start_new_session=True,
    )  # fmt: skip
    trial = _kill(process, windows, Trial(command, "", False, remote if command in TRANSFERS else ""), chance, name)
    wait_for_end(name)
    try:
        if trial.kind == "group" and trial.killed and words[0] == "git":
            _repair_what_git_left(project)
        if command == "pull":
            project.pivot("pull", remote)
            project.fill_store()
        project.check()
    except AssertionError as error:
        error.add_note(f"after: {trial}")
        raise
    return trial


def _kill(process: subprocess.Popen[bytes], windows: Windows, trial: Trial, chance: random.Random, name: str) -> Trial:
    key = f"{trial.command} {trial.remote}"
    if not windows.known(key):
        windows.measure(key, process, name)
        assert process.returncode == 0, f"{trial.command} failed, without a kill"
        return trial._replace(kind="measured")
    kind = chance.choice(windows.kinds(key))
    killed = kill(process, kind, name, chance.uniform(*windows.window(key, kind)))
    windows.learn(key, kind, killed=killed)
    return trial._replace(kind=kind, killed=killed)


def _prepare(project: Project, command: str, remote: str, chance: random.Random) -> tuple[str, ...]:
    """The command, in a repository that has work for it."""
    if command in ("push", "pull", "checkout"):
        project.pivot("repro")
    if command == "checkout":
        project.remove_outputs()
    if command == "pull":
        project.pivot("push", remote)
        project.empty_store()
    if command == "commit":
        project.repo.write("raw.txt", str(chance.randrange(1000)))
    if command == "git pull":
        branch = project.git("branch", "--show-current")
        project.git("push", "--quiet", "--force", "--no-verify", "origin", branch)
        project.git("reset", "--quiet", "--hard", "HEAD~1")  # Git alone: no command was killed yet
        return ("git", "pull", "--quiet", "--ff-only", "origin", branch)
    return {
        "repro": (*PIVOT, "repro"),
        "checkout": (*PIVOT, "checkout"),
        "gc": (*PIVOT, "gc", "--keep-runs", "0"),
        "rewrite": (*PIVOT, "gc", "--keep-runs", "0", "--rewrite", "origin"),
        "push": (*PIVOT, "push", remote),
        "pull": (*PIVOT, "pull", remote),
        "switch": ("git", "switch", "--quiet", "-"),
        "rebase": ("git", "rebase", "--quiet", "--no-ff", "HEAD~1"),
        "commit": ("git", "commit", "--quiet", "--all", "--message", "killed"),
    }[command]


def _repair_what_git_left(project: Project) -> None:
    """What a user does after Git itself was killed: remove its locks, end the rebase, reset the tracked files."""
    for lock in (project.repo.path / ".git").rglob("*.lock"):
        if "pivot" not in lock.parts:
            lock.unlink()
    for state in ("rebase-merge", "rebase-apply"):
        if (project.repo.path / ".git" / state).exists():
            with contextlib.suppress(AssertionError):  # it was killed before it had written what --abort needs
                project.git("rebase", "--abort")
        shutil.rmtree(project.repo.path / ".git" / state, ignore_errors=True)
    project.git("reset", "--quiet", "--hard")
    if not project.git("branch", "--show-current"):
        project.git("switch", "--quiet", "main")
