"""A pipeline in no tool's words: steps that read and write paths, and the modules that they call.

Each step is a function of `work.py` that takes the path to write and the paths to read. What it computes stands two
modules away, in `deep.py`, and each run of one is told to a log outside of the project, whichever tool started it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DATA = "data.txt"
CODE = ("deep.py", "middle.py", "note.py", "work.py")  # what a tool that wants its files named is told
MEBIBYTE = 1 << 20

NOTE = """\
import os

LOG = {log!r}


def note(name):
    descriptor = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (name + "\\n").encode())
    os.close(descriptor)
"""
DEEP = """\
def scale(number):
    return number * 2


def shift(number):
    return number + {edit}
"""
MIDDLE = """\
import random

import deep


def ordinary(number, texts):
    return f"{deep.scale(number) + sum(int(text) for text in texts)}\\n"


def special(number, texts):
    return f"{deep.shift(number) + sum(int(text) for text in texts)}\\n"


def write_large(path, mebibytes, seed):
    block = random.Random(seed).randbytes(1 << 20)
    with path.open("wb") as file:
        for number in range(mebibytes):
            file.write(number.to_bytes(8, "big") + block[8:])


def write_tree(path, files, seed):
    source = random.Random(seed)
    for number in range(files):
        name = path / f"{number // 100:03}" / f"{number:06}.bin"
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_bytes(source.randbytes(10_240))
"""
# The folder of the outputs is made by each step: not every tool makes it.
STEP = """

def {name}(out, *deps):
    note.note("{name}")
    out.parent.mkdir(exist_ok=True)
    {body}
"""
RUN = """\
import pathlib
import sys

import work

getattr(work, sys.argv[1])(*map(pathlib.Path, sys.argv[2:]))
"""
BARE = """\
import pathlib

import work

{calls}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """`body` is what its function does with `out` and `deps`."""

    name: str
    deps: tuple[str, ...]
    body: str

    @property
    def out(self) -> str:
        return f"out/{self.name}"


@dataclass(frozen=True, slots=True)
class Project:
    """Steps in an order in which they can run; `folder` says that their outputs are folders.

    `is_right(folder, edit)` compares what stands there with what the steps make after the edit of that number.
    """

    steps: tuple[Step, ...]
    is_right: Callable[[Path, int], bool]
    folder: bool = False
    imports: str = ""
    special: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path, log: Path, edit: int = 0) -> None:
        """The modules and the data; those of a tool come from the tool."""
        first = f"import {self.imports}\n\n" if self.imports else ""
        steps = "".join(STEP.format(name=step.name, body=step.body) for step in self.steps)
        calls = "\n".join(f"work.{step.name}(*map(pathlib.Path, {[step.out, *step.deps]}))" for step in self.steps)
        files = {
            "note.py": NOTE.format(log=str(log)),
            "middle.py": MIDDLE,
            "work.py": f"{first}import middle\nimport note\n{steps}",
            "run.py": RUN,
            "bare.py": BARE.format(calls=calls),
            **self.extra,
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        (folder / DATA).write_text(f"{edit}\n")
        self.edit(folder, 0)

    def edit(self, folder: Path, number: int) -> None:
        """Edit one function of the helper that is two modules away from the steps.

        Not in the second in which it was written: Python takes what it has compiled of a module for right while the
        module has the same size and the same second of change, and tools that start a Python for a step run that.
        """
        path = folder / "deep.py"
        while path.exists() and int(path.stat().st_mtime) == int(time.time()):
            time.sleep(0.05)
        path.write_text(DEEP.format(edit=number))


def wide(count: int, imports: str = "") -> Project:
    """Steps that read one file, each; one of them calls the function that is edited."""
    names = [f"step_{number}" for number in range(count)]
    return _numbers(names, [(DATA,)] * count, imports)


def chain(count: int) -> Project:
    """Steps one after another; the edit reaches the second half of them."""
    names = [f"step_{number}" for number in range(count)]
    return _numbers(names, [(DATA,), *((f"out/{name}",) for name in names[:-1])], "")


def large(mebibytes: int) -> Project:
    """One step that writes one file, made from the number in the data file."""

    def is_right(folder: Path, seed: int) -> bool:
        path = folder / "out/large"
        block = random.Random(seed).randbytes(MEBIBYTE)
        if not path.is_file() or path.stat().st_size != mebibytes * MEBIBYTE:
            return False
        with path.open("rb") as file:
            return all(file.read(MEBIBYTE) == number.to_bytes(8, "big") + block[8:] for number in range(mebibytes))

    body = f"middle.write_large(out, {mebibytes}, int(deps[0].read_text()))"
    return Project((Step("large", (DATA,), body),), is_right)


def many_files(files: int) -> Project:
    """One step that writes a folder of files of 10 KiB."""

    def is_right(folder: Path, seed: int) -> bool:
        source = random.Random(seed)
        tree = folder / "out/tree"
        found = sorted(path for path in tree.glob("*/*.bin") if path.is_file())
        return len(found) == files and all(path.read_bytes() == source.randbytes(10_240) for path in found)

    body = f"middle.write_tree(out, {files}, int(deps[0].read_text()))"
    return Project((Step("tree", (DATA,), body),), is_right, folder=True)


def _numbers(names: list[str], deps: list[tuple[str, ...]], imports: str) -> Project:
    special = names[len(names) // 2]
    steps = []
    for number, name in enumerate(names):
        kind = "special" if name == special else "ordinary"
        body = f"out.write_text(middle.{kind}({number}, [dep.read_text() for dep in deps]))"
        steps.append(Step(name, deps[number], body))

    def is_right(folder: Path, edit: int) -> bool:
        values = {DATA: 0}
        for number, step in enumerate(steps):
            own = number + edit if step.name == special else number * 2
            values[step.out] = own + sum(values[dep] for dep in step.deps)
            if _read(folder / step.out) != f"{values[step.out]}\n":
                return False
        return True

    return Project(tuple(steps), is_right, imports=imports, special=special)


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
