"""A commit checked out elsewhere, and `git pivot repro` in it: on a server after a push, and to prove a claim."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from pivot.git.command import ask_git, clean_environment, run_git
from pivot.git.locate import Location
from pivot.git.program import read_algorithm
from pivot.run.groups import signal_group
from pivot.run.spawned import python_command

GRACE = 15.0  # seconds that a run which is told to end has to put down what is done

# Neither another's hooks nor ours have anything to do in a checkout that nobody works in.
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")


@contextmanager
def linked_tree(location: Location, commit: str, folder: Path) -> Iterator[Path]:
    """A work tree of the repository itself: records and notes that are made in it go where all others are."""
    _remove_tree(location, folder)  # what a killed command left
    folder.parent.mkdir(parents=True, exist_ok=True)
    args = [*_QUIET, "worktree", "add", "--quiet", "--detach", "--force", str(folder), commit]
    run_git(args, location.folder, env=_environment(location))
    try:
        yield folder
    finally:
        _remove_tree(location, folder)


@contextmanager
def own_tree(location: Location, commit: str) -> Iterator[Path]:
    """A repository of its own with the files of a commit, and nothing of what is known about it.

    Not a clone: that has no commit which is on no branch, and copies all where the repository is shallow.
    """
    with tempfile.TemporaryDirectory(prefix="git-pivot-again-") as temp:
        root = Path(temp) / "project"
        environment = {**clean_environment(os.environ), "GIT_PIVOT_HOOKS": "0"}
        made = ["init", "--quiet", "--template=", f"--object-format={read_algorithm(location.common_dir)}", str(root)]
        run_git(made, Path(temp), env=environment)
        info = root / ".git/objects/info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "alternates").write_text(f"{location.common_dir / 'objects'}\n")
        if (location.common_dir / "shallow").is_file():
            shutil.copy(location.common_dir / "shallow", root / ".git/shallow")
        run_git([*_QUIET, "checkout", "--quiet", "--detach", commit], root, env=environment)
        yield root


class Repro:
    """`git pivot repro` in another work tree, with settings (key -> value) that hold for it alone.

    Once `lines` has ended, `code` is its exit code; None where it was ended after `limit` seconds.
    """

    def __init__(self, root: Path, *, limit: float | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.code: int | None = None
        self._deadline = time.monotonic() + limit if limit else None
        self._late = False
        self._process = subprocess.Popen(
            python_command("pivot", "repro"),
            cwd=root,
            env={**clean_environment(os.environ), **_as_variables(settings or {}), "GIT_PIVOT_HOOKS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                signal_group(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def lines(self) -> Iterator[str]:
        """What it says, as it says it."""
        rest = b""
        while data := self._read():
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if rest:
            yield rest.decode("utf-8", "replace")
        code = self._process.wait()
        self.code = None if self._late else code

    def _read(self) -> bytes:
        pipe = self._process.stdout
        if pipe is None:
            return b""
        while not select.select([pipe], [], [], self._left())[0]:
            if self._late:
                signal_group(self._process.pid, signal.SIGKILL)
                return b""
            self._late = True
            self._deadline = time.monotonic() + GRACE
            self._process.terminate()
        return os.read(pipe.fileno(), 1 << 16)

    def _left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def _remove_tree(location: Location, folder: Path) -> None:
    """Take a work tree away, however little of it is left."""
    args = ["worktree", "remove", "--force", "--force", str(folder)]
    if ask_git(args, location.folder, env=_environment(location)).code:
        shutil.rmtree(folder, ignore_errors=True)
        ask_git(["worktree", "prune"], location.folder, env=_environment(location))


def _environment(location: Location) -> dict[str, str]:
    return {**location.environment(), "GIT_PIVOT_HOOKS": "0"}


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Git configuration for a process and all that it starts."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))} if settings else {}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
