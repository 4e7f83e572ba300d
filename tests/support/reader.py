"""Somebody who follows a page to the letter, in one shell."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.pages import Command, Example, File, Page, differs, with_definitions

PATIENCE = 300.0  # seconds for one command: only what will never end is ended


class PageDiffers(AssertionError):
    """The page shows something else than what happens."""


class Shell:
    """A bash that lives as long as the page: a `cd` or a variable holds for the commands after it."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self._said = scratch / "said"
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**os.environ, "PATH": tools, "PWD": str(folder), "GIT_PAGER": "cat"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int, str]:
        """The exit code of a command and all that it said, in the order in which it said it."""
        assert self._bash.stdin and self._bash.stdout
        typed = f'eval {shlex.quote(command)} </dev/null >"{self._said}" 2>&1\nprintf "%s %s\\n" "$?" "$PWD"\n'
        end = threading.Timer(PATIENCE, self.close)
        end.start()
        self._bash.stdin.write(typed)
        self._bash.stdin.flush()
        code, _, folder = self._bash.stdout.readline().rstrip("\n").partition(" ")
        end.cancel()
        said = self._said.read_text(encoding="utf-8", errors="backslashreplace")
        if not code:
            raise PageDiffers(f"the shell has ended, or waited for more than {PATIENCE:.0f} s:\n{said}")
        self.folder = Path(folder)
        return int(code), said

    def close(self) -> None:
        """End the shell and all that it left running."""
        try:
            os.killpg(self._bash.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@contextmanager
def _open_shell(folder: Path, scratch: Path) -> Iterator[Shell]:
    shell = Shell(folder, scratch)
    try:
        yield shell
    finally:
        shell.close()
        shell._bash.wait()


def follow(page: Page, folder: Path, scratch: Path) -> None:
    """Do what a page says, in `folder`.

    Raises:
        PageDiffers: a command ends or speaks otherwise than the page shows; the message begins with the line.
    """
    with _open_shell(folder, scratch) as shell:
        for step in page.steps:
            match step:
                case Command():
                    _type(step, shell)
                case File():
                    _write(step, shell.folder)
        _run_examples(page, shell.folder, scratch)


def _type(command: Command, shell: Shell) -> None:
    code, said = shell.run(command.text)
    if code != command.code:
        raise PageDiffers(f"line {command.line}: exit {code}, not {command.code}, from {command.text}\n{said}")
    if why := differs(command, said):
        raise PageDiffers(f"line {command.line}: $ {command.text}\n{why}")


def _write(file: File, folder: Path) -> None:
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(encoding="utf-8") if file.how != "file" else ""
    path.write_text(with_definitions(old, file.text) if file.how == "edit" else old + file.text, encoding="utf-8")


def _run_examples(page: Page, folder: Path, scratch: Path) -> None:
    """All of them as one program, in which each stands on the line that it has in the page."""
    program = ""
    for example in (step for step in page.steps if isinstance(step, Example)):
        program += "\n" * (example.line - 1 - program.count("\n")) + example.text
    if not program:
        return
    script = scratch / "example.py"
    script.write_text(program, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PageDiffers(f"the Python examples:\n{done.stderr}")
