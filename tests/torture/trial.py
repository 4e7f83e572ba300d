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
from tests.torture.kill import KINDS, MARK, kill, wait_for_end
from tests.torture.project import Project

COMMANDS = (
    "repro", "checkout", "gc", "rewrite", "push", "pull", "switch", "rebase", "commit", "git pull",
)  # fmt: skip
LONGEST = {"repro": 1.5, "switch": 0.5, "rebase": 0.6, "commit": 0.4}  # seconds until the kill
_counter = itertools.count()


class Trial(NamedTuple):
    """What was killed; `killed` is False if the command was faster."""

    command: str
    kind: str
    killed: bool

    def __str__(self) -> str:
        return f"{self.command}, {self.kind}{'' if self.killed else ' (was faster)'}"


def torture(project: Project, chance: random.Random, command: str = "") -> Trial:
    """One trial, with this command or any."""
    project.change(str(chance.randrange(1000)))
    command = command or chance.choice(COMMANDS)
    kind = chance.choice(KINDS if command == "repro" else KINDS[:2])  # others run no stage
    words = _prepare(project, command, chance)
    name = f"{os.getpid()}-{next(_counter)}"
    process = subprocess.Popen(
        words, cwd=project.repo.path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **project.environment, MARK: name}, start_new_session=True,
    )  # fmt: skip
    trial = Trial(command, kind, kill(process, kind, name, chance.uniform(0, LONGEST.get(command, 1.0))))
    wait_for_end(name)
    if kind == "group" and trial.killed and words[0] == "git":
        _repair_what_git_left(project)
    try:
        project.check()
    except AssertionError as error:
        error.add_note(f"after: {trial}")
        raise
    return trial


def _prepare(project: Project, command: str, chance: random.Random) -> tuple[str, ...]:
    """The command, in a repository that has work for it."""
    remote = chance.choice(project.remotes)
    if command in ("push", "pull") and chance.random() < 0.8:
        project.pivot("repro")
    if command == "pull":
        project.pivot("push", remote)
        project.pivot("gc", "--keep-runs", "0")
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
