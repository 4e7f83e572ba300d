"""The quick start, done as it is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

PAGE = (Path(__file__).parents[2] / "docs" / "quick-start.md").read_text(encoding="utf-8")
PIPELINE, EDITED = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(repo: Repo) -> Repo:
    """The repository of the page, after its first run."""
    data = re.search(r"echo '(.*)' > data\.json", PAGE)
    assert data
    repo.write("data.json", data[1] + "\n")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("A pipeline")
    assert ran(repo) == ["preprocess", "summarize"]
    return repo


def edit(example: Repo) -> None:
    old = re.search(r"^def complete.*?\n\n", PIPELINE, re.MULTILINE | re.DOTALL)
    assert old
    example.replace("pipeline.py", old[0], EDITED + "\n")


def test_the_first_run_leaves_the_outputs_and_a_clean_work_tree(example: Repo) -> None:
    assert json.loads(example.read("summary.json")) == {"count": 2, "mean": 2.0}
    assert example.status() == ""


def test_the_second_run_runs_nothing(example: Repo) -> None:
    assert ran(example) == []


def test_explain_names_the_edited_helper_with_digests_file_and_line(example: Repo) -> None:
    edit(example)
    said = example.pivot("status", "--explain", "preprocess").expect(0).out
    shape = r"    func:complete\n      Old: [0-9a-f]{8}\n      New: [0-9a-f]{8}\n      File: pipeline\.py:6\n"
    assert re.search(shape, said), said


def test_the_edited_helper_runs_its_caller_and_stops_where_the_output_is_the_same(example: Repo) -> None:
    edit(example)
    assert ran(example) == ["preprocess"]
    example.git("checkout", "--", "pipeline.py")
    assert ran(example) == []


def test_a_deleted_output_comes_back_without_a_run(example: Repo) -> None:
    (example.path / "summary.json").unlink()
    assert endings(example)["summarize"] == "restored"


def test_the_history_and_the_note_stand_in_git(example: Repo) -> None:
    assert example.git("log", "--format=%s", "refs/pivot/runs")
    stages = [line.split()[0] for line in example.git("notes", "--ref=pivot", "show").splitlines()]
    assert stages == ["preprocess", "summarize"]
