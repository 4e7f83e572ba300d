"""A real Git repository, and the real command run in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import FORKING, can_fork, run_forked

# As the installed script does it: without -P, `-m` would put the user's folder in front on sys.path.
PIVOT = (sys.executable, "-P", "-m", "pivot")


def strict_json(text: str) -> Any:
    """Read JSON as RFC 8259 has it: no bare `NaN` or `Infinity`, no key twice, no lone surrogate written raw."""
    text.encode()
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a key is there twice: {[key for key, _ in pairs]}"
    return found


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of the command said: exit code, standard output, standard error."""

    args: tuple[str, ...]
    code: int
    out: str
    err: str

    def expect(self, code: int = 0) -> Result:
        """Fail the test, showing everything the command said, unless it exited with `code`."""
        assert self.code == code, f"exit {self.code}, not {code}, from {self}"
        return self

    def json(self) -> Any:
        """The one JSON document on standard output."""
        return strict_json(self.out)

    def events(self) -> list[dict[str, Any]]:
        """One JSON document a line, as `repro --json` writes them."""
        return [strict_json(line) for line in self.out.splitlines()]

    def __str__(self) -> str:
        return f"{' '.join(self.args)}\n--- out\n{self.out}--- err\n{self.err}--- exit {self.code}"


class Repo:
    """A Git work tree. Paths are relative to it; output of Git comes back without its last newline."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init(cls, path: Path, *options: str) -> Repo:
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path)
        repo.git("init", "--quiet", *options)
        return repo

    def clone(self, path: Path, *options: str) -> Repo:
        self.git("clone", "--quiet", *options, str(self.path), str(path))
        return Repo(path)

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file and the folders above it; indented text is dedented, a newline at its start dropped."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(textwrap.dedent(content.removeprefix("\n")), encoding="utf-8")
        return target

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file: `old` must stand in it, so that an edit that changes nothing cannot pass for one."""
        text = self.read(path)
        assert old in text, f"{old!r} does not stand in {path}:\n{text}"
        (self.path / path).write_text(text.replace(old, new), encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.path / path).read_text(encoding="utf-8")

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.path / path)

    def git(self, *args: str, code: int = 0, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """Run git here; anything but exit `code` fails the test with what git said."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
            check=False,
        )
        assert done.returncode == code, f"git {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.removesuffix("\n")

    def commit(self, message: str = "change", *paths: str) -> str:
        """Commit `paths` (all changes when none are given) and give the id of the commit."""
        self.git("add", "--all", "--", *(paths or (".",)))
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        """`git status --porcelain`: empty when the work tree is clean."""
        return self.git("status", "--porcelain")

    def pivot(
        self, *args: str, cwd: str = ".", env: Mapping[str, str | None] | None = None, timeout: float = 60
    ) -> Result:
        """Run the real command in `cwd`; a value None in `env` takes the variable away."""
        folder, environment = self.path / cwd, _environment(env or {})
        if FORKING and can_fork(environment):
            return Result((*PIVOT[-1:], *args), *run_forked(args, folder, environment, timeout))
        return self._run(PIVOT, args, cwd=folder, env=environment, timeout=timeout)

    def run(self, program: str, *args: str, env: Mapping[str, str | None] | None = None) -> Result:
        """Run any program here and give all that it said."""
        return self._run((program,), args, cwd=self.path, env=_environment(env or {}), timeout=60)

    @staticmethod
    def _run(program: tuple[str, ...], args: tuple[str, ...], **options: Any) -> Result:
        done = subprocess.run(
            [*program, *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
            **options,
        )
        return Result((*program[-1:], *args), done.returncode, done.stdout, done.stderr)

    def start_pivot(self, *args: str, env: Mapping[str, str | None] | None = None) -> subprocess.Popen[str]:
        """Start the real command and leave it running, for tests that interrupt or race it."""
        return subprocess.Popen(
            [*PIVOT, *args],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            env=_environment(env or {}),
        )


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged: dict[str, str | None] = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}
