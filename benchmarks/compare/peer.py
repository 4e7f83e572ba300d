"""A tool that is measured: how it is installed, how a project looks in its words, and what is typed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compare.project import Project
from benchmarks.ratios import Workload, surroundings

GIT_CONFIG = """\
[user]
    name = Bench
    email = bench@example.com
[init]
    defaultBranch = main
[gc]
    auto = 0
"""

_NULL = subprocess.DEVNULL


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool, as its documentation teaches it.

    `write(project, folder, python)` puts its files beside the project's; steps that are command lines call `python`.
    `start` is typed once in a new repository; `run` brings everything up to date, `restore` brings back outputs that
    were deleted, `hooks` lets Git call the tool at a switch of branches.
    """

    name: str
    distribution: str
    packages: tuple[str, ...]
    write: Callable[[Project, Path, str], None]
    run: tuple[str, ...]
    remark: str
    restore: tuple[str, ...] = ()
    start: tuple[tuple[str, ...], ...] = ()
    hooks: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    keeps_outputs: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool works: the folder of its programs, the Python for steps that are command lines, a folder, a home."""

    programs: Path
    python: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What was run; the file stands outside of the project."""
        return self.folder / "ran"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def take_log(self) -> int:
        """How many steps ran since this was asked last."""
        if not self.log.exists():
            return 0
        count = self.log.read_text().count("\n")
        self.log.unlink()
        return count

    def do(self, *commands: Sequence[str]) -> None:
        """Type commands whose time does not count."""
        for command in commands:
            environment = surroundings(self.environment)
            subprocess.run(command, cwd=self.project, env=environment, check=True, stdin=_NULL, capture_output=True)

    def workload(self, name: str, command: Sequence[str]) -> Workload:
        found = shutil.which(command[0], path=self.environment["PATH"]) or command[0]
        return Workload(name, [found, *command[1:]], self.project, self.environment)


def make_place(programs: Path, python: str, folder: Path) -> Place:
    """A place with a home of its own, in which the tool's programs are found first."""
    home = folder / "home"
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text(GIT_CONFIG)
    environment = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(programs.parent),
        "NO_COLOR": "1",
    }
    return Place(programs, python, folder, environment)


def begin(peer: Peer, place: Place, project: Project, edit: int = 0) -> None:
    """A new repository with the project in the tool's words, committed, nothing run."""
    shutil.rmtree(place.project, ignore_errors=True)
    place.project.mkdir(parents=True)
    project.write(place.project, place.log, edit)
    peer.write(project, place.project, place.python)
    ignored = ["__pycache__/", *peer.ignored]
    (place.project / ".gitignore").write_text("".join(f"{line}\n" for line in ignored))
    place.do(["git", "init", "--quiet"], *peer.start)
    commit(place)
    place.take_log()


def commit(place: Place) -> None:
    """What is new and not ignored, if anything: each tool leaves something else to Git."""
    place.do(["git", "add", "."], ["git", "commit", "--quiet", "--no-verify", "--allow-empty", "--message", "step"])
