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
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pivot.git.odb.process_backend import read_algorithm
from pivot.git.plumbing.command import clean_environment, run_git
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.git.plumbing.quoting import one_line
from pivot.operations.sandbox import Sandbox, SandboxFolders
from pivot.worker.process_groups import children_of, signal_group, stop_orphans
from pivot.worker.process_setup import keep_orphans

GRACE = 15.0  # seconds that a run which is told to end has to put down what is done
LONGEST = 1000  # characters of a line
MOST_OUTPUT = 1 << 20  # bytes

# Neither another's hooks nor ours have anything to do in a checkout that nobody works in.
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")


@contextmanager
def own_tree(location: RepositoryLocation, commit: str, *, folder: Path | None = None) -> Iterator[SandboxFolders]:
    """A repository of its own with the files of a commit, and nothing of what is known about it.

    Not a clone: that has no commit which is on no branch, and copies all where the repository is shallow. It is made in
    `folder` (default: where temporary files go), and is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="git-pivot-again-", dir=folder, ignore_cleanup_errors=True) as temp:
        objects = object_folders(location)
        room = SandboxFolders(Path(temp) / "project", Path(temp) / "home", Path(temp) / "tmp", objects)
        root = room.root
        environment = {**clean_environment(os.environ), "GIT_PIVOT_HOOKS": "0"}
        made = ["init", "--quiet", "--template=", f"--object-format={read_algorithm(location.common_dir)}", str(root)]
        run_git(made, Path(temp), env=environment)
        info = root / ".git/objects/info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "alternates").write_text("".join(f"{path}\n" for path in objects))
        if (location.common_dir / "shallow").is_file():
            shutil.copy(location.common_dir / "shallow", root / ".git/shallow")
        run_git([*_QUIET, "checkout", "--quiet", "--detach", commit], root, env=environment)
        for own in (room.home, room.temp):
            own.mkdir()
        yield room


def object_folders(location: RepositoryLocation) -> tuple[Path, ...]:
    """Where the objects of a repository are: its own folder, those that it borrows from, and those of a push that is
    being received."""
    found: dict[Path, None] = {}
    todo = [location.common_dir / "objects"]
    if quarantine := os.environ.get("GIT_OBJECT_DIRECTORY"):
        others = os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "").split(os.pathsep)
        todo = [location.folder / one for one in (quarantine, *others) if one] + todo
    while todo:
        folder = todo.pop(0).resolve()
        if folder in found:
            continue
        found[folder] = None
        with suppress(FileNotFoundError):
            lines = (folder / "info/alternates").read_text(errors="surrogateescape").split("\n")
            todo.extend(folder / line for line in lines if line and not line.startswith("#"))
    return tuple(found)


class ReproProcess:
    """`git pivot repro`, or another command of Pivot, in a checkout of its own; in a sandbox, if there is one.

    Settings (key -> value) hold for it alone. Once `lines` has ended, `code` is its exit code; None if it was stopped
    after `limit` seconds. Leaving the context ends every process that it started.
    """

    def __init__(
        self,
        room: SandboxFolders,
        *command: str,
        limit: float | None = None,
        settings: Mapping[str, str] | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.code: int | None = None
        self._deadline = time.monotonic() + limit if limit else None
        self._late = False
        self._spared = {os.getpid(), *children_of(os.getpid())}
        keep_orphans()
        variables = {**_as_variables(settings or {}), "GIT_PIVOT_HOOKS": "0"}
        words, environment = (sandbox or Sandbox()).wrap(["pivot", *(command or ("repro",))], room, variables)
        # What ties this process to a repository is left out, and what these settings need is put in again.
        self._process = subprocess.Popen(
            words,
            cwd=room.root,
            env={**clean_environment(environment), **(variables if not sandbox else {})},
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
        end_orphans(self._spared)

    def lines(self) -> Iterator[str]:
        """What it says, as it says it: lines of a length and in a number that nobody is hurt by."""
        rest, said = b"", 0
        while data := self._read():
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                said += len(line) + 1
                if said <= MOST_OUTPUT:
                    yield _shown(line)
            if len(rest) > LONGEST:
                rest = rest[:LONGEST]
        code = self._process.wait()
        self.code = None if self._late else code
        if rest and said <= MOST_OUTPUT:
            yield _shown(rest)
        if said > MOST_OUTPUT:
            yield f"it printed {said} bytes; what came after the first {MOST_OUTPUT} is left out"

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


def end_orphans(spared: set[int]) -> None:
    """Kill what a command has left running; each that is killed may hand on children of its own."""
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        left = [pid for pid in set(children_of(os.getpid())) - spared if _is_apart(pid)]
        if not left:
            return
        stop_orphans(spared)
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)


def _is_apart(pid: int) -> bool:
    """Whether a process is in another session than this one; what this one starts for itself is in its own."""
    try:
        return os.getsid(pid) != os.getsid(0)
    except ProcessLookupError:
        return False


def _shown(line: bytes) -> str:
    return one_line(line.decode("utf-8", "replace"), LONGEST)


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Git configuration for a process and all that it starts."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))} if settings else {}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
