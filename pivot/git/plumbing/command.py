"""The `git` program, called in one way: English messages, no prompts, no terminal, errors with Git's own last line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from pivot.errors import GitError

_PIPE = 65_536  # bytes that a pipe takes on Linux; elsewhere it takes less, and says so

# `git rev-parse --local-env-vars` of git 2.39 to 2.55: what ties a process to one repository, and so must not reach the
# user's code, nor a call about another repository.
_LOCAL_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)

# Those of them that say which repository is meant; the rest (`git -c key=value`, a receive quarantine) still count
# in a call that names its repository by `--git-dir`.
_PLACE_VARIABLES = frozenset(
    {"GIT_COMMON_DIR", "GIT_DIR", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"}
)


class Answer(NamedTuple):
    """What a call of `git` gave: exit code, standard output, and the reason that Git told."""

    code: int
    out: bytes
    complaint: str


def local_env_vars() -> frozenset[str]:
    """The names of the environment variables that tie a process to one repository."""
    return _LOCAL_VARIABLES


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` without Git's local variables: what the user's code is started with."""
    return {
        name: value
        for name, value in env.items()
        if name not in _LOCAL_VARIABLES
        and name != "GIT_QUARANTINE_PATH"  # while a push is received, Git moves no ref of any repository
        and not name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
    }


def placeless_environment() -> dict[str, str]:
    """This process's environment without what says which repository is meant, for calls with `--git-dir`."""
    return {name: value for name, value in os.environ.items() if name not in _PLACE_VARIABLES}


def quiet_environment(env: Mapping[str, str] | None = None, *, prompts: bool = False) -> dict[str, str]:
    """`env` (default: this process's) with English messages, no prompts and no fetching of missing objects."""
    quiet = {} if prompts else {"GIT_TERMINAL_PROMPT": "0"}
    return {**(os.environ if env is None else env), "LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1", **quiet}


def ask_git(
    args: Sequence[str | Path],
    cwd: Path,
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    prompts: bool = False,
) -> Answer:
    """Call `git` and report, whatever its exit code; with `prompts` it may ask the user for a password.

    Raises:
        GitError: there is no `git` program, or `cwd` is gone.
    """
    try:
        with _as_file(stdin) as source:
            quiet = quiet_environment(env, prompts=prompts)
            if not prompts:
                return _call(["git", *args], cwd, quiet, source)
            done = subprocess.run(["git", *args], cwd=cwd, env=quiet, check=False, capture_output=True, stdin=source)
            return Answer(done.returncode, done.stdout, _reason(done.stderr))
    except FileNotFoundError as error:
        if error.filename is None:  # from `tempfile`
            raise
        if error.filename != "git" and not cwd.is_dir():
            raise GitError("the folder to call git in is gone", where=str(cwd)) from error
        raise GitError("the git program was not found", hint="Install Git 2.31 or newer, or mend PATH.") from error


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """No Ctrl-C reaches a process that is started meanwhile, before it is in a group or session of its own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _call(command: Sequence[str | Path], where: Path, env: Mapping[str, str], source: IO[bytes] | int) -> Answer:
    """In a group of its own, a Ctrl-C at the terminal, which a run answers in its own way, does not end it."""
    with held_back():
        process = subprocess.Popen(
            command,
            cwd=where,
            env=env,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
    with process:
        try:
            out, complaint = process.communicate()
        except BaseException:
            process.kill()
            raise
    return Answer(process.returncode, out, _reason(complaint))


def run_git(
    args: Sequence[str | Path],
    cwd: Path,
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> bytes:
    """Call `git` and give its standard output; `env` replaces the environment.

    Raises:
        GitError: `git` failed (unless `check` is false) or is not there; the sentence is Git's own.
    """
    answer = ask_git(args, cwd, stdin=stdin, env=env)
    if check and answer.code:
        raise GitError(f"git {_verb(args)} failed: {answer.complaint or f'exit code {answer.code}'}", where=str(cwd))
    return answer.out


@contextlib.contextmanager
def _as_file(data: bytes | None) -> Iterator[IO[bytes] | int]:
    """Input that fits into a pipe is in it before Git starts; more is a file, in memory where there is such a thing.

    Nothing is written to a disk, which may be full. Python would feed a pack of some megabytes to a pipe in a thousand
    small pieces.
    """
    if not data:
        yield subprocess.DEVNULL
        return
    with _filled_pipe(data) as pipe:
        if pipe is not None:
            yield pipe
            return
    with _unnamed_file() as file:
        file.write(data)
        file.seek(0)
        yield file


@contextlib.contextmanager
def _filled_pipe(data: bytes) -> Iterator[IO[bytes] | None]:
    """The end to read from; None if the pipe does not take all of it."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as end:
        os.set_blocking(writing, False)
        try:
            taken = len(data) <= _PIPE and os.write(writing, data) == len(data)
        except BlockingIOError:
            taken = False
        finally:
            os.close(writing)
        yield end if taken else None


def _unnamed_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("git-pivot", os.MFD_CLOEXEC), "w+b")
    from tempfile import TemporaryFile

    return TemporaryFile()


def _verb(args: Sequence[str | Path]) -> str:
    """The verb of a call: the first word that is neither an option nor the value of one."""
    words = iter(map(str, args))
    for word in words:
        if word in ("--git-dir", "--work-tree", "-c", "-C"):
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _reason(stderr: bytes) -> str:
    """The first `fatal:` or `error:` line, since its consequences and advice follow it; else the last line."""
    lines = [line.strip() for line in stderr.decode("utf-8", "surrogateescape").splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (reasons or lines[-1:] or [""])[0].removeprefix("fatal: ").removeprefix("error: ")
