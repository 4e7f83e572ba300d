"""Write the change-detection matrix of the tests into `docs/change-detection.md`, or check that it stands there.

python scripts/matrix.py [--check]
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "change-detection.md"

HEAD = """\
# Change detection

What an edit runs, case by case. Every row is a small project of two or three stages `a`, `b` and `c`: the project is
run, the edit is made, and exactly the stages named must run. The suite tries every row; this page is made from its
table.
"""


def render() -> str:
    """The page."""
    return HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    package = importlib.import_module("tests.code.catalogue")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"tests.code.catalogue.{name}") for name in names]
    tables = [(module.ROWS, str(module.__doc__)) for module in modules if hasattr(module, "ROWS")]
    for rows, about in sorted(tables, key=lambda table: package.ROWS.index(table[0][0])):
        yield f"\n## {about.splitlines()[0].rstrip('.')}\n"
        yield "| what the stage reaches | the edit | stages that run |"
        yield "|---|---|---|"
        for row in rows:
            yield f"| {_cell(row.kind)} | {_edits(row.edit)} | {row.runs or 'none'} |"


def _edits(edit: str) -> str:
    return "<br>".join(f"`` {_cell(_short(part))} ``" for part in edit.split(" ;; "))


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 100 else plain[:97] + "..."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """0 if the page is right (or was written), 1 if `--check` finds it out of date."""
    sys.path.insert(0, str(ROOT))
    page = render()
    if "--check" in arguments:
        return 0 if PAGE.read_text(encoding="utf-8") == page else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
