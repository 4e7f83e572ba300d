"""Compiled modules and libraries of the project count by their bytes."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

COMPILER = shutil.which("cc") or shutil.which("gcc")
HEADERS = Path(sysconfig.get_paths()["include"])

pytestmark = pytest.mark.skipif(
    COMPILER is None or not (HEADERS / "Python.h").is_file(), reason="there is no C compiler, or no Python.h"
)

MODULE = """
#include <Python.h>
static PyObject *value(PyObject *self, PyObject *none) { return PyLong_FromLong(NUMBER); }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", 0, -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""
LIBRARY = "int value(void) { return NUMBER; }"
PIPELINE = """
import ctypes
import importlib
from pathlib import Path
from typing import Annotated
import fast
import pivot

LIBRARY = ctypes.CDLL(str(Path(__file__).parent / "plain.so"))

def module() -> Annotated[int, pivot.Out("module.json")]:
    return fast.value()

def lazy(name: Annotated[str, pivot.Dep("name.txt")]) -> Annotated[int, pivot.Out("lazy.json")]:
    return importlib.import_module(name.strip()).value()

def library() -> Annotated[int, pivot.Out("library.json")]:
    return LIBRARY.value()

def neither() -> Annotated[int, pivot.Out("neither.json")]:
    return 0

pipeline = pivot.Pipeline("compiled")
for stage in (module, lazy, library, neither):
    pipeline.register(stage)
"""


def build(repo: Repo, name: str, text: str, number: int) -> None:
    """Compile into place anew, as a build does: the old file may be in use."""
    source, made = repo.path / "source.c", repo.path / f"{name}.new"
    source.write_text(text.replace("NUMBER", str(number)))
    assert COMPILER
    subprocess.run([COMPILER, "-shared", "-fPIC", f"-I{HEADERS}", "-o", made, source], check=True)
    made.replace(repo.path / f"{name}.so")


def test_a_rebuild_runs_what_uses_the_module_or_the_library(repo: Repo) -> None:
    repo.write("pipeline.py", PIPELINE)
    repo.write("name.txt", "fast")
    build(repo, "fast", MODULE, 1)
    build(repo, "plain", LIBRARY, 1)
    assert sorted(ran(repo)) == ["lazy", "library", "module", "neither"]
    assert ran(repo) == []

    build(repo, "fast", MODULE, 2)
    assert sorted(ran(repo)) == ["lazy", "module"]
    assert repo.read("module.json").strip() == repo.read("lazy.json").strip() == "2"

    build(repo, "plain", LIBRARY, 2)
    assert ran(repo) == ["library"]
    assert repo.read("library.json").strip() == "2"
