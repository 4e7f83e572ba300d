"""Reading what commits stand on and what has been run, without importing code and without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

FOLDER = """
import pathlib
from typing import Annotated
import pivot

def split(
    raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[pathlib.Path, pivot.DirectoryOut("parts/", pivot.loaders.Text())]:
    return {f"{row['name']}.txt": str(row["value"]) for row in raw["records"]}

pipeline = pivot.Pipeline("folder")
pipeline.register(split)
"""

UNSTEADY = """
import os
from typing import Annotated
import pivot

def draw() -> Annotated[str, pivot.Out("drawn.txt", pivot.loaders.Text())]:
    return os.urandom(8).hex()

pipeline = pivot.Pipeline("unsteady")
pipeline.register(draw)
"""


@pytest.fixture
def two(helper_page: Repo) -> Repo:
    """Two commits, tagged `one` and `two`, between which a helper of `process` changed; both run."""
    ran(helper_page)
    helper_page.git("tag", "one")
    helper_page.replace("pipeline.py", "value / top", "2 * value / top")
    helper_page.commit("twice")
    ran(helper_page)
    helper_page.git("tag", "two")
    return helper_page


def document(repo: Repo, *args: str) -> Any:
    return repo.pivot(*args, "--json").expect(0).json()


def stages(repo: Repo, *args: str) -> dict[str, dict[str, Any]]:
    """What a command says about each stage."""
    return {one["stage"]: one for one in document(repo, *args)["stages"]}


def why(differing: dict[str, Any]) -> list[str]:
    return [reason["why"] for reason in differing["reasons"]]


def test_show_tells_outputs_with_sizes_at_any_commit(two: Repo) -> None:
    now, before = stages(two, "show"), stages(two, "show", "one")
    assert now["count"] == before["count"]
    assert now["process"]["fingerprint"] != before["process"]["fingerprint"]
    out = now["process"]["outs"][0]
    assert (out["path"], out["size"]) == ("processed.json", len(two.read("processed.json")))
    assert before["process"]["runs"][0]["user"].startswith(two.git("config", "user.name"))
    assert "processed.json" in two.pivot("show", "HEAD~1").expect(0).out


def test_reading_never_imports_the_code(two: Repo) -> None:
    two.write("pipeline.py", "raise SystemExit('imported')\n")
    for command in (["show"], ["log"], ["diff", "one", "two"], ["blame", "count.json"], ["get", "one", "count.json"]):
        said = two.pivot(*command).expect(0)
        assert "imported" not in said.out + said.err


def test_a_commit_that_nobody_noted_is_said_to_be_so(two: Repo) -> None:
    two.write("pipeline.py", two.read("pipeline.py") + "# new\n")
    two.commit("new")
    assert "is not noted" in two.pivot("show").expect(2).err
    assert "names no commit" in two.pivot("show", "nowhere").expect(2).err


def test_log_tells_what_changed_since_the_run_before(two: Repo) -> None:
    newest, *others = document(two, "log")["runs"]
    assert newest["stage"] == "process"
    assert [change["name"] for change in newest["changes"][0]["changes"]] == ["func:normalize"]
    assert sorted(run["stage"] for run in others) == ["count", "process"]
    assert all(run["before"] is None for run in others)
    assert newest["before"] in [run["fingerprint"] for run in others]


def test_log_of_one_stage_is_limited_by_number_and_date(two: Repo) -> None:
    assert len(document(two, "log", "process")["runs"]) == 2
    limited = document(two, "log", "process", "-n", "1")["runs"]
    assert len(limited) == 1
    assert limited[0]["changes"]
    assert len(document(two, "log", "--since", "1.hour")["runs"]) == 3
    assert "no run of a stage nobody" in two.pivot("log", "nobody").expect(2).err


def test_log_stats_count_runs_and_time(two: Repo) -> None:
    rows = stages(two, "log", "--stats")
    assert {stage: row["runs"] for stage, row in rows.items()} == {"process": 2, "count": 1}
    assert "median" in two.pivot("log", "--stats").expect(0).out


def test_diff_of_two_commits_names_what_changed(two: Repo) -> None:
    differing = stages(two, "diff", "one..two")
    assert list(differing) == ["process"]
    assert why(differing["process"]) == ["code changed", "output differs"]
    assert stages(two, "diff", "one", "two") == differing
    assert stages(two, "diff", "two", "two") == {}


def test_diff_shows_source_and_content_on_demand(two: Repo) -> None:
    said = two.pivot("diff", "one", "two").expect(0).out
    assert "func:normalize" in said
    assert "+    return" not in said
    said = two.pivot("diff", "one", "two", "--source", "--content").expect(0).out
    assert "+    return [2 * value / top for value in values]" in said
    assert "+++ b/processed.json\n" in said


def test_diff_with_the_work_tree_tells_what_an_edit_reaches(two: Repo) -> None:
    assert stages(two, "diff") == {}
    assert why(stages(two, "diff", "one")["process"]) == ["code changed", "output differs"]
    two.replace("pipeline.py", 'len(raw["records"])', "0")
    differing = stages(two, "diff")
    assert (list(differing), why(differing["count"])) == (["count"], ["code changed"])
    ran(two)
    assert why(stages(two, "diff")["count"]) == ["code changed", "output differs"]
    assert "-3\n+0\n" in two.pivot("diff", "--content").expect(0).out


def test_diff_tells_changes_of_data_and_stages_that_came_and_went(two: Repo) -> None:
    two.write("data.json", '{"records": [{"value": 9}]}')
    two.replace("pipeline.py", "pipeline.register(count)", "pipeline.register(count, name='tally')")
    two.commit("data")
    ran(two)
    differing = stages(two, "diff", "two", "HEAD")
    assert {stage: one["status"] for stage, one in differing.items()} == {
        "process": "changed", "tally": "new", "count": "gone",
    }  # fmt: skip
    assert "data changed" in why(differing["process"])


def test_three_dots_tell_what_a_branch_reaches_since_it_parted(two: Repo) -> None:
    two.git("switch", "--quiet", "--create", "topic", "one")
    two.replace("pipeline.py", 'len(raw["records"])', "0")
    two.commit("topic")
    ran(two)
    assert sorted(stages(two, "diff", "main..topic")) == ["count", "process"]
    assert list(stages(two, "diff", "main...HEAD")) == ["count"]
    said = two.pivot("diff", "--stages", "main...HEAD").expect(0).out
    assert said == "count  code changed: func:count; output differs: count.json\n1 stage differs.\n"
    said = two.pivot("diff", "--markdown", "main...HEAD").expect(0).out
    assert "| `count` | code changed: func:count<br>output differs: count.json | `count.json` |" in said


def test_blame_names_the_commit_the_stage_and_the_run(two: Repo) -> None:
    made = document(two, "blame", "processed.json")
    assert (made["commit"], made["stage"]) == (two.git("rev-parse", "two"), "process")
    assert made["fingerprint"] == stages(two, "show")["process"]["fingerprint"]
    assert made["run"]["stage"] == "process"
    older = document(two, "blame", "count.json")
    assert older["commit"] == two.git("rev-parse", "one")
    assert "  two\n" not in two.pivot("blame", "count.json").expect(0).out


def test_blame_of_a_result_that_no_commit_has_names_the_run(two: Repo) -> None:
    two.replace("pipeline.py", "2 * value", "5 * value")
    ran(two)
    made = document(two, "blame", "processed.json")
    assert (made["commit"], made["stage"]) == (None, "process")


def test_blame_of_bytes_that_no_run_gave_says_so(two: Repo) -> None:
    two.write("processed.json", "by hand\n")
    assert "no known run gave" in two.pivot("blame", "processed.json").expect(2).err
    assert "nothing at" in two.pivot("blame", "absent.json").expect(2).err


def test_a_file_in_a_directory_output_keeps_its_origin(repo: Repo, tmp_path: Path) -> None:
    repo.write("data.json", '{"records": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]}')
    repo.write("pipeline.py", FOLDER)
    first = repo.commit("one")
    assert ran(repo) == ["split"]
    repo.replace("data.json", '"value": 2', '"value": 3')
    second = repo.commit("two")
    ran(repo)
    assert document(repo, "blame", "parts/a.txt")["commit"] == first
    assert document(repo, "blame", "parts/b.txt")["commit"] == second
    assert repo.pivot("get", "HEAD~1", "parts/b.txt").expect(0).out == "2"
    repo.pivot("get", "HEAD~1", "parts", "-o", str(tmp_path / "old")).expect(0)
    assert (tmp_path / "old" / "b.txt").read_text() == "2"


def test_get_writes_what_a_commit_had(two: Repo) -> None:
    now = two.read("processed.json")
    two.pivot("get", "two", "processed.json", "-o", "copy.json").expect(0)
    assert two.read("copy.json") == now
    assert two.pivot("get", "one", "processed.json").expect(0).out != now
    assert "is there already" in two.pivot("get", "one", "count.json", "-o", "copy.json").expect(2).err
    assert "git show one:data.json" in two.pivot("get", "one", "data.json").expect(2).err
    assert "git pivot get one count.json" in two.pivot("get", "one:count.json").expect(2).err


def test_two_results_of_one_situation_are_told_by_log(repo: Repo) -> None:
    repo.write("pipeline.py", UNSTEADY)
    repo.commit("unsteady")
    ran(repo)
    ran(repo, "--force")
    runs = document(repo, "log", "draw")["runs"]
    assert [run["results"] for run in runs] == [2, 2]
    assert len({run["result"] for run in runs}) == 2
    said = repo.pivot("log").expect(0).out
    assert said.count("not deterministic: 2 results") == 2
    said = repo.pivot("status").expect(0).out
    assert all(f"result {run['result']}  {run['finished']}  {run['user']}" in said for run in runs)


def test_results_that_two_commits_share_are_no_difference(repo: Repo) -> None:
    repo.write("pipeline.py", UNSTEADY)
    repo.commit("unsteady")
    ran(repo)
    repo.write("unrelated.txt", "x\n")
    repo.commit("unrelated")
    ran(repo)
    assert stages(repo, "diff", "HEAD~1", "HEAD") == {}
    ran(repo, "--force")
    assert stages(repo, "diff", "HEAD~1", "HEAD") == {}
    assert len(document(repo, "show")["stages"]) == 2
