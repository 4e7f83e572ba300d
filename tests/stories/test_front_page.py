"""The front page, typed as it stands there: what runs, what does not, and what stands in Git afterwards."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran


def test_the_first_run_runs_both_stages_and_the_second_none(front_page: Repo) -> None:
    assert ran(front_page) == ["preprocess", "summarize"]
    assert front_page.read("summary.json") == '{\n  "count": 2,\n  "mean": 2.0\n}'
    assert ran(front_page) == []


def test_an_edit_that_changes_the_output_runs_both(front_page: Repo) -> None:
    ran(front_page)
    front_page.replace(
        "pipeline.py", "indent=2))\n    return PreprocessOutputs", "indent=4))\n    return PreprocessOutputs"
    )
    assert ran(front_page) == ["preprocess", "summarize"]


def test_an_edit_that_leaves_the_output_equal_runs_only_its_stage(front_page: Repo) -> None:
    ran(front_page)
    front_page.replace("pipeline.py", "if all(row.values())]", "if all(list(row.values()))]")
    assert ran(front_page) == ["preprocess"]


def test_an_edit_of_the_last_stage_runs_only_that(front_page: Repo) -> None:
    ran(front_page)
    front_page.replace("pipeline.py", '"count": len(values)', '"count": len(values) + 0')
    assert ran(front_page) == ["summarize"]


def test_a_reverted_edit_restores_and_runs_nothing(front_page: Repo) -> None:
    ran(front_page)
    before = front_page.read("clean.json")
    front_page.replace("pipeline.py", "all(row.values())", "True")
    front_page.replace("pipeline.py", "sum(values)", "sum(v or 0 for v in values)")
    assert ran(front_page) == ["preprocess", "summarize"]
    front_page.git("checkout", "--", "pipeline.py")
    assert endings(front_page) == {"preprocess": "restored", "summarize": "restored"}
    assert front_page.read("clean.json") == before


def test_a_deleted_output_is_restored(front_page: Repo) -> None:
    ran(front_page)
    (front_page.path / "clean.json").unlink()
    assert endings(front_page) == {"preprocess": "restored", "summarize": "unchanged"}
    assert (front_page.path / "clean.json").exists()


def test_touching_the_data_runs_nothing(front_page: Repo) -> None:
    ran(front_page)
    (front_page.path / "data.json").touch()
    assert ran(front_page) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("import json\n", "# a comment\nimport json\n", id="comment"),
        pytest.param(
            '    records = data["records"]\n', '    """Docstring."""\n    records = data["records"]\n', id="docstring"
        ),
        pytest.param("values = [r", "values   =  [r", id="formatting"),
        pytest.param("import pivot\n", "import pivot\n\n\n\n", id="blank lines"),
    ],
)
def test_an_edit_that_means_nothing_runs_nothing(front_page: Repo, old: str, new: str) -> None:
    ran(front_page)
    front_page.replace("pipeline.py", old, new)
    assert ran(front_page) == []


def test_nothing_but_the_users_files_stands_in_the_work_tree(front_page: Repo) -> None:
    ran(front_page)
    assert front_page.git("status", "--porcelain") == ""
    assert {path.name for path in front_page.path.iterdir()} == {
        ".git", "data.json", "pipeline.py", "clean.json", "summary.json",
    }  # fmt: skip


def test_an_edited_helper_runs_the_stage_that_calls_it_and_explain_names_it(helper_page: Repo) -> None:
    ran(helper_page)
    helper_page.replace("pipeline.py", "top = max(values)", "top = sum(values)")
    said = helper_page.pivot("status", "--explain", "process").expect(0).out
    assert re.search(
        r"^Stage: process\n  Status: WILL RUN\n  Reason: Code dependency changed\n\n  Changes:\n    func:normalize\n"
        r"      Old: [0-9a-f]{8}\n      New: [0-9a-f]{8}\n      File: pipeline\.py:5\n$",
        said,
        re.M,
    ), said
    assert "count" not in said
    diff = helper_page.pivot("status", "--explain", "--diff", "process").expect(0).out
    assert "      -    top = max(values)\n      +    top = sum(values)\n" in diff
    assert "process  code changed: func:normalize (pipeline.py:5)" in helper_page.pivot("status").expect(0).out
    assert ran(helper_page) == ["process"]


def test_the_run_history_and_the_note_are_read_with_git(front_page: Repo) -> None:
    ran(front_page)
    assert "preprocess, summarize" in front_page.git("log", "--format=%s", "refs/pivot/runs")
    note = front_page.git("notes", "--ref=pivot", "show").splitlines()
    assert [line.split(" ")[0] for line in note] == ["preprocess", "summarize"]
    tree = front_page.git("rev-parse", "HEAD^{tree}")[:12]
    assert all(line.split(" ")[3] == tree for line in note)


def test_deleting_the_cache_changes_nothing_but_time(front_page: Repo) -> None:
    ran(front_page)
    shutil.rmtree(front_page.path / ".git/pivot/cache")
    assert ran(front_page) == []


def test_without_git_pivot_outputs_in_place_are_recognised_and_others_run(front_page: Repo) -> None:
    ran(front_page)
    shutil.rmtree(front_page.path / ".git/pivot")
    (front_page.path / "summary.json").unlink()
    assert endings(front_page) == {"preprocess": "unchanged", "summarize": "ran"}
    (front_page.path / "clean.json").unlink()
    assert endings(front_page)["preprocess"] == "restored"


def test_an_edit_of_equal_size_within_the_same_second_is_seen(front_page: Repo) -> None:
    front_page.write("helper.py", "def factor():\n    return 1\n")
    front_page.replace("pipeline.py", "import pivot\n", "import pivot\nfrom helper import factor\n")
    front_page.replace("pipeline.py", "sum(values) / len", "factor() * sum(values) / len")
    ran(front_page)
    front_page.write("helper.py", "def factor():\n    return 2\n")
    assert ran(front_page) == ["summarize"]
    assert '"mean": 4.0' in front_page.read("summary.json")
