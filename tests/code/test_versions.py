"""Digests are equal on every supported Python: on the catalogue, and over the source of a whole standard library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.code.catalogue import ROWS
from tests.code.catalogue.harness import write_project

pytestmark = pytest.mark.slow  # each repeats all of something with another interpreter

HERE = Path(__file__).resolve().parents[2]
SOURCES = """
import ast, json, sys, warnings
from pathlib import Path
import xxhash
from pivot.code.syntax.normalise import statement_syntax
warnings.simplefilter("ignore")
told = {}
for path in sys.stdin.read().split("\\n"):
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (SyntaxError, ValueError):
        continue
    syntax = statement_syntax(tree.body)
    text = "\\0".join([*syntax.tokens, *(f"{ref} {ref.origins} {ref.use}" for ref in syntax.refs)])
    told[path] = xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))
print(json.dumps(told))
"""
CATALOGUE = """
import json, sys
from pathlib import Path
from tests.code.catalogue.harness import look
print(json.dumps({path: look(Path(path)).codes for path in sys.stdin.read().split("\\n")}))
"""


def _others() -> Iterator[str]:
    """Other interpreters that have what Pivot needs: `PIVOT_TEST_PYTHONS`, and those on PATH."""
    named = os.environ.get("PIVOT_TEST_PYTHONS", "").split(os.pathsep)
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 15)]
    for python in dict.fromkeys(filter(None, [*named, *found])):
        probe = "import sys, xxhash, msgspec, numpy; print(sys.version_info[:2])"
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() != str(sys.version_info[:2]):
            yield python


OTHERS = list(_others())


def _ask(python: str, program: str, lines: list[str]) -> dict[str, object]:
    done = subprocess.run(
        [python, "-c", program],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.skipif(
    not OTHERS, reason="there is no other Python with Pivot's dependencies; name some in PIVOT_TEST_PYTHONS"
)
@pytest.mark.parametrize("other", OTHERS or [""])
def test_the_standard_library_has_equal_digests(other: str) -> None:
    library = sorted(str(path) for path in Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    library += sorted(str(path) for path in Path(sysconfig.get_paths()["stdlib"]).glob("[a-kmn]*/*.py"))[:600]

    here, there = _ask(sys.executable, SOURCES, library), _ask(other, SOURCES, library)

    assert len(here) > 450
    assert {path for path in here.keys() & there.keys() if here[path] != there[path]} == set()
    assert len(here.keys() & there.keys()) > len(here) * 0.98


@pytest.mark.skipif(
    not OTHERS, reason="there is no other Python with Pivot's dependencies; name some in PIVOT_TEST_PYTHONS"
)
@pytest.mark.parametrize("other", OTHERS or [""])
def test_the_catalogue_has_equal_fingerprints(other: str, tmp_path: Path) -> None:
    roots = {}
    for number, row in enumerate(row for row in ROWS if row.every_python and not row.needs):
        root = tmp_path / str(number)
        write_project(root, row.files())
        roots[str(root)] = row.kind

    here, there = _ask(sys.executable, CATALOGUE, list(roots)), _ask(other, CATALOGUE, list(roots))

    assert [roots[root] for root in roots if here[root] != there[root]] == []
