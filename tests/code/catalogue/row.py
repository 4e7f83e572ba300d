"""A row of the change-detection table, and how its text becomes a project.

The text of a row is the body of `pipeline.py`; a line `--- path` starts another file. Stages are the functions `a`
and `b` (and `c`, where a row has one); imports and the registration are added around it.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

HEAD = """\
from typing import Annotated
import pivot
A = Annotated[int, pivot.Out("a.json")]
B = Annotated[int, pivot.Out("b.json")]
C = Annotated[int, pivot.Out("c.json")]
"""
FOOT = """
pipeline = pivot.Pipeline("p")
for _stage in (a, b, *([c] if "c" in globals() else [])):
    pipeline.register(_stage)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """`edit` is `old => new`, applied wherever `old` stands (once, unless `every`); `runs` names the stages that must run.

    `same_result` marks an edit that changes code and not what the stage returns; without `calls` the
    stages take arguments, and are not called. `every_python` says that all versions give one fingerprint. `needs` is a
    library, or the version of Python, without which the row cannot be tried.
    """

    kind: str
    before: str
    edit: str
    runs: str = ""
    every: bool = False
    raw: bool = False
    same_result: bool = False
    calls: bool = True
    every_python: bool = True
    needs: str = ""

    def files(self) -> dict[str, str]:
        """The project before the edit."""
        found = {"pipeline.py": ""}
        name = "pipeline.py"
        for line in textwrap.dedent(self.before).strip("\n").splitlines(keepends=True):
            if line.startswith("--- "):
                name = line[4:].strip()
                found[name] = ""
            else:
                found[name] += line
        if not self.raw:
            found["pipeline.py"] = HEAD + found["pipeline.py"].rstrip("\n") + "\n" + FOOT
        return {name: text.rstrip("\n") + "\n" for name, text in found.items()}

    def edited(self) -> dict[str, str]:
        """The project after the edit; a part `+++ path: text` writes a whole file."""
        files = self.files()
        for one in self.edit.split(" ;; "):
            files = self._apply(one, files)
        return files

    def _apply(self, edit: str, files: dict[str, str]) -> dict[str, str]:
        if edit.startswith("+++ "):
            name, _, text = edit[4:].partition(": ")
            return {**files, name: text.replace("\\n", "\n") + "\n"}
        old, _, new = edit.partition(" => ")
        old, new = (part.replace("\\n", "\n").replace("\\t", "\t") for part in (old, new))
        count = sum(text.count(old) for text in files.values())
        assert count == 1 or (self.every and count), f"{self.kind}: {old!r} stands {count} times"
        return {name: text.replace(old, new) for name, text in files.items()}
