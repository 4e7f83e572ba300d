"""Which files are pipelines: every look, with what an earlier one left or without, gives what stands there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pivot.code.discovery.search import Discovery, pipelines_among
from pivot.errors import SettingError
from pivot.git.plumbing.locate import locate
from tests.support.repository import Repo


def found(repo: Repo) -> list[str]:
    """The pipeline files, equal with and without what an earlier look has kept, and among the files of a commit."""
    location, caches = locate(repo.path), repo.path / ".git" / "pivot"
    kept = Discovery(location, caches / "cache").pipelines()
    assert kept == Discovery(location, Path(tempfile.mkdtemp(dir=caches))).pipelines()
    listed = repo.git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    assert kept == pipelines_among(listed, lambda path: Path(repo.path, path).read_bytes())
    return kept


def test_pipeline_files_are_found_in_every_folder(repo: Repo) -> None:
    for path in ("pipeline.py", "a/pipeline.py", "a/b/pipeline.py", "a/other.py", "a/b/pipeline_2.py"):
        repo.write(path, "")
    assert found(repo) == ["a/b/pipeline.py", "a/pipeline.py", "pipeline.py"]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("pipeline = make()", True),
        ("import os\n\npipeline: Pipeline = make()", True),
        ("if True:\n    pipeline = make()", False),
        ("pipeline == 1", False),
        ("my_pipeline = 1", False),
        ("from .flow import pipeline", False),
    ],
)
def test_a_package_that_sets_pipeline_is_one(repo: Repo, text: str, counts: bool) -> None:
    repo.write("team/__init__.py", text + "\n")
    assert found(repo) == (["team/__init__.py"] if counts else [])


def test_pyproject_lists_files_globs_and_folders_from_where_it_stands(repo: Repo) -> None:
    for path in ("flows/daily.py", "flows/weekly/a.py", "flows/weekly/b.py", "lib/__init__.py", "lib/.hidden/c.py"):
        repo.write(path, "")
    repo.write("pyproject.toml", '[tool.pivot]\npipelines = ["flows/daily.py", "flows/weekly/*.py"]\n')
    repo.write("lib/pyproject.toml", '[tool.pivot]\npipelines = [".", ".hidden/c.py"]\n')
    listed = ["flows/daily.py", "flows/weekly/a.py", "flows/weekly/b.py", "lib/.hidden/c.py", "lib/__init__.py"]
    assert found(repo) == listed


@pytest.mark.parametrize("listed", ['["flaws/a.py"]', '["../a.py"]', '"a.py"', "[1]", "[["])
def test_a_list_that_names_no_file_is_an_error_with_its_place(repo: Repo, listed: str) -> None:
    repo.write("pyproject.toml", f"[tool.pivot]\npipelines = {listed}\n")
    with pytest.raises(SettingError) as error:
        Discovery(locate(repo.path), repo.path / "cache").pipelines()
    assert error.value.where == "pyproject.toml"


def test_what_is_ignored_hidden_or_not_of_this_repository_is_left_out(repo: Repo) -> None:
    repo.write(".gitignore", "build/\n")
    for folder in ("build/x", ".hidden", "node_modules/x", "venv", "nested"):
        repo.write(f"{folder}/pipeline.py", "")
    repo.write("venv/pyvenv.cfg", "")
    Repo.init(repo.path / "nested")
    assert Discovery(locate(repo.path), repo.path / ".git" / "cache").pipelines() == []


def test_what_comes_goes_and_moves_is_seen_by_the_next_look(repo: Repo) -> None:
    repo.write("a/pipeline.py", "")
    assert found(repo) == ["a/pipeline.py"]
    repo.write("b/c/pipeline.py", "")
    assert found(repo) == ["a/pipeline.py", "b/c/pipeline.py"]
    (repo.path / "a").rename(repo.path / "d")
    assert found(repo) == ["b/c/pipeline.py", "d/pipeline.py"]
    repo.write("d/__init__.py", "pipeline = 1\n")
    assert found(repo) == ["b/c/pipeline.py", "d/__init__.py", "d/pipeline.py"]
    repo.write("d/__init__.py", "pipeline_ = 1\n")
    repo.write(".gitignore", "/b\n")
    assert found(repo) == ["d/pipeline.py"]
    (repo.path / ".gitignore").unlink()
    assert found(repo) == ["b/c/pipeline.py", "d/pipeline.py"]
