"""Modules that a run imported beyond its manifest become part of it, by syntax alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivot.code.graph.manifest import Entry, Manifest
from pivot.code.walk.late_imports import beyond, extend
from tests.code.catalogue.harness import write_project

BASE = Manifest((Entry("func:a", "0" * 32, "pipeline.py", 1),))
FILES = {
    "plugins/one.py": "from helpers import f\ndef run(): return f()\n",
    "helpers.py": "import pkg.deep\ndef f(): return 1\n",
    "pkg/__init__.py": "",
    "pkg/deep.py": "from . import near\n",
    "pkg/near.py": "raise RuntimeError('never executed')\n",
    "other.py": "K = 1\n",
}


def test_modules_of_the_manifest_are_not_beyond_it() -> None:
    assert beyond(BASE, ["plugins/one.py", "pipeline.py"]) == ["plugins/one.py"]


def test_a_module_brings_what_it_imports(tmp_path: Path) -> None:
    write_project(tmp_path, FILES)
    wider = extend(BASE, tmp_path, ["plugins/one.py"])
    reached = ["helpers.py", "pkg/__init__.py", "pkg/deep.py", "pkg/near.py", "plugins/one.py"]
    assert [entry.file for entry in wider.entries[1:]] == reached
    assert [label for label, _ in wider.entries[0].edges] == [f"import:{file}" for file in reached]


EDITS = {
    "the module": ("plugins/one.py", "def run(): return f() + 1\n", True),
    "a module that it imports": ("pkg/near.py", "K = 2\n", True),
    "a comment": ("helpers.py", "import pkg.deep\n# why\ndef f(): return 1\n", False),
    "another module": ("other.py", "K = 2\n", False),
    "a syntax error": ("helpers.py", "def broken(:\n", True),
}


@pytest.mark.parametrize(("file", "text", "differs"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_counts_where_it_is_reached(tmp_path: Path, file: str, text: str, differs: bool) -> None:
    write_project(tmp_path, FILES)
    before = extend(BASE, tmp_path, ["plugins/one.py"]).digest()
    write_project(tmp_path, {file: text})
    assert (extend(BASE, tmp_path, ["plugins/one.py"]).digest() != before) is differs


def test_a_module_that_is_gone_is_another_situation(tmp_path: Path) -> None:
    write_project(tmp_path, FILES)
    before = extend(BASE, tmp_path, ["plugins/one.py"]).digest()
    (tmp_path / "plugins/one.py").unlink()
    assert extend(BASE, tmp_path, ["plugins/one.py"]).digest() != before


def test_names_that_a_module_uses_count(tmp_path: Path) -> None:
    write_project(tmp_path, {"m.py": "import math\ndef f(): return math.floor(1.5)\n"})
    before = extend(BASE, tmp_path, ["m.py"]).digest()
    write_project(tmp_path, {"m.py": "import math\ndef f(): return math.ceil(1.5)\n"})
    assert extend(BASE, tmp_path, ["m.py"]).digest() != before
