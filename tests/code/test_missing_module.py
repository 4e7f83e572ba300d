"""A library that is not installed: which environment was used, and which is the project's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pivot.code.importing.missing_module import advise
from tests.support.repository import Repo

MISSING = ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in a repository, with no environment active."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    return tmp_path / "sub"


def test_other_errors_have_no_advice(folder: Path) -> None:
    assert advise(ImportError("cannot import name"), folder) is None


def test_the_environment_that_was_used_is_named(folder: Path) -> None:
    said = advise(MISSING, folder)
    assert said is not None
    assert f"The Python of {sys.prefix} was used." in said
    assert "`torch`" in said


def test_another_active_environment_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_PREFIX", "/opt/conda/envs/science")
    said = advise(MISSING, folder)
    assert said is not None
    assert "/opt/conda/envs/science/bin/python -m pip install git-pivot" in said


def test_the_folder_of_the_repository_has_the_environment(folder: Path) -> None:
    (folder.parent / ".venv").mkdir()
    (folder.parent / ".venv" / "pyvenv.cfg").touch()
    said = advise(MISSING, folder)
    assert said is not None
    assert f"The environment of the project is {folder.parent / '.venv'}." in said
    (folder.parent / "uv.lock").touch()
    assert "`uv add git-pivot`" in (advise(MISSING, folder) or "")


@pytest.mark.parametrize("where", ["import no_such_library\n", "def work() -> X:\n    import no_such_library\n"])
def test_an_import_that_fails_says_which_environment_was_used(repo: Repo, where: str) -> None:
    head = "from typing import Annotated\nimport pivot\nX = Annotated[int, pivot.Out('x.json')]\n"
    foot = "pipeline = pivot.Pipeline('p')\npipeline.register(work)\n"
    repo.write("pipeline.py", head + where + foot)
    repo.commit("the pipeline")
    done = repo.pivot("repro")
    assert done.code in (1, 2)
    assert f"The Python of {sys.prefix} was used" in done.out + done.err
