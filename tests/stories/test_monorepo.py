"""Three teams in one repository: what one does runs what it reaches, wherever that stands, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "monorepo"
ALL = ["ingest/clean", "ingest/customers", "models/evaluate", "models/train", "report/page"]


@pytest.fixture
def fresh(repo: Repo) -> Repo:
    """The example of the page on many pipelines, committed."""
    shutil.copytree(EXAMPLE, repo.path, dirs_exist_ok=True)
    repo.commit("three teams")
    return repo


@pytest.fixture
def teams(fresh: Repo) -> Repo:
    """The same after its first run."""
    assert sorted(ran(fresh)) == ALL
    return fresh


def noted(repo: Repo) -> dict[str, str]:
    """What HEAD's note says of each stage: a result, unknown or stale."""
    rows = [line.split() for line in repo.git("notes", "--ref=pivot", "show").splitlines()]
    return {row[0]: row[1] if len(row) == 3 else "result" for row in rows}


def fails(repo: Repo, *said: str) -> None:
    """The run ends with a user's error that says all of this."""
    err = repo.pivot("repro").expect(2).err
    assert [text for text in said if text not in err] == [], err


def test_moved_and_renamed_code_runs_nothing(teams: Repo) -> None:
    teams.git("mv", "shared", "common")
    for file in ("ingest/pipeline.py", "models/pipeline.py"):
        teams.replace(file, "from shared.rows", "from common.rows")
    teams.replace("models/pipeline.py", 'Pipeline("models")', 'Pipeline("prices")')
    teams.replace("models/pipeline.py", "def train", "def fit")
    assert ran(teams) == []


def test_a_pipeline_whose_folder_moves_runs_with_what_reads_from_it(teams: Repo) -> None:
    teams.git("mv", "models", "prices")
    teams.replace("report/pipeline.py", "models/scores.json", "prices/scores.json")
    assert sorted(ran(teams)) == ["prices/evaluate", "prices/train", "report/page"]


def test_an_edit_of_what_teams_share_runs_those_that_reach_it(teams: Repo) -> None:
    teams.replace("shared/rows.py", "is not None for value", "is not None and value != 0 for value")
    assert ran(teams) == ["ingest/clean"]


def test_a_run_in_a_folder_leaves_out_what_it_does_not_need(teams: Repo) -> None:
    teams.replace("ingest/pipeline.py", "return sorted(", "return ['nobody'] or sorted(")
    teams.replace("models/pipeline.py", '"start":', '"first": 0, "start":')
    inside = teams.pivot("repro", "--json", cwd="models").expect(0).events()
    assert {event["stage"] for event in inside if event["event"] == "ended"} == {
        "ingest/clean",
        "models/train",
        "models/evaluate",
    }
    assert ran(teams, "--all") == ["ingest/customers", "report/page"]


def test_two_pipelines_that_write_one_path_are_told_with_both_places(fresh: Repo) -> None:
    fresh.replace("report/pipeline.py", '"report/page.txt"', '"ingest/clean.json"')
    fails(
        fresh,
        "`ingest/clean` and `report/page` both write ingest/clean.json",
        "ingest/pipeline.py:13",
        "report/pipeline.py:",
    )


def test_a_circle_across_pipelines_is_told_with_each_place(fresh: Repo) -> None:
    fresh.replace(
        "ingest/pipeline.py",
        'Dep("orders.json")]) -> Annotated[list, Out("clean',
        'Dep("../models/scores.json")]) -> Annotated[list, Out("clean',
    )
    fails(
        fresh,
        "ingest/pipeline.py:13: ingest/clean reads models/scores.json, which models/evaluate writes",
        "models/pipeline.py:",
    )


def test_an_input_that_nobody_writes_is_told_with_the_output_that_may_be_meant(fresh: Repo) -> None:
    fresh.replace("report/pipeline.py", "models/scores.json", "report/scores.json")
    said = fresh.pivot("repro").expect(1).out
    assert "Input missing: report/scores.json (report/pipeline.py:12): no stage writes it" in said
    assert "did you mean models/scores.json of models/evaluate (models/pipeline.py:" in said


def test_two_files_with_a_stage_of_one_name_are_told_with_both_places(fresh: Repo) -> None:
    text = fresh.read("ingest/pipeline.py").replace('Out("', 'Out("other-')
    fresh.write("ingest/__init__.py", text)
    fails(fresh, "ingest/__init__.py and ingest/pipeline.py both have a stage `ingest/c", "ingest/pipeline.py:")


def test_a_broken_pipeline_blocks_its_own_stages_and_each_has_its_line(teams: Repo) -> None:
    teams.write("models/pipeline.py", teams.read("models/pipeline.py") + "import nonesuch\n")
    teams.replace("ingest/pipeline.py", "return sorted(", "return ['nobody'] or sorted(")
    teams.commit("broken")
    ended = endings(teams, code=2)
    assert {stage for stage, ending in ended.items() if ending == "blocked"} == {"models/train", "models/evaluate"}
    assert {stage for stage, ending in ended.items() if ending == "ran"} == {"ingest/customers", "report/page"}
    assert sorted(noted(teams)) == ALL
    assert noted(teams)["models/train"] == "unknown"
    assert teams.status() == ""


def test_who_needs_nothing_of_a_broken_pipeline_is_none_the_worse(teams: Repo) -> None:
    teams.write("models/pipeline.py", "import nonesuch\n")
    assert "models/pipeline.py cannot be imported" in teams.pivot("repro", cwd="ingest").expect(0).err
    teams.pivot("repro", cwd="report").expect(2)


def test_a_pipeline_that_includes_anothers_names_its_stages(teams: Repo) -> None:
    teams.write(
        "pipeline.py",
        """
        from models.pipeline import pipeline as models
        from ingest.pipeline import pipeline as ingest
        from pivot import Pipeline

        whole = Pipeline("whole")
        whole.include(models, prefix="prices")
        """,
    )
    assert ran(teams) == []
    drawn = {one["stage"] for one in teams.pivot("dag", "--json").expect(0).json()["stages"]}
    assert drawn == {"ingest/clean", "ingest/customers", "prices/train", "prices/evaluate", "report/page"}


def test_a_package_is_a_pipeline_and_imports_from_itself(repo: Repo) -> None:
    repo.write("teams/__init__.py", "")
    repo.write("teams/a/__init__.py", "from .work import make\npipeline = make()\n")
    repo.write(
        "teams/a/work.py",
        """
        from typing import Annotated
        import pivot

        def hello() -> Annotated[str, pivot.Out("hello.txt")]:
            return "hello"

        def make():
            pipeline = pivot.Pipeline("a")
            pipeline.register(hello)
            return pipeline
        """,
    )
    assert ran(repo) == ["teams/a/hello"]
    repo.replace("teams/a/work.py", '"hello"\n', '"hello again"\n')
    assert ran(repo) == ["teams/a/hello"]


def test_a_helper_installed_in_editable_mode_is_project_code(repo: Repo, tmp_path: Path) -> None:
    """As pip leaves it: a `.pth` file, and `direct_url.json` that says editable."""
    library, site = tmp_path / "library", tmp_path / "site-packages"
    (site / "helper-1.0.dist-info").mkdir(parents=True)
    library.mkdir()
    url = {"url": library.as_uri(), "dir_info": {"editable": True}}
    (site / "helper-1.0.dist-info" / "direct_url.json").write_text(json.dumps(url))
    (site / "helper-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n")
    (library / "helper.py").write_text("def greet():\n    return 'hello'\n\ndef other():\n    return 1\n")
    repo.write(
        "team/pipeline.py",
        """
        from typing import Annotated
        import pivot
        from helper import greet

        def hello() -> Annotated[str, pivot.Out("hello.txt")]:
            return greet()

        pipeline = pivot.Pipeline("team")
        pipeline.register(hello)
        """,
    )
    env = {"PYTHONPATH": f"{library}:{site}"}
    edits = [("", "", "1 ran"), ("return 1", "return 2", "0 ran"), ("'hello'", "'hi'", "1 ran")]
    for old, new, said in edits:
        text = (library / "helper.py").read_text()
        (library / "helper.py").write_text(text.replace(old, new) if old else text)
        assert said in repo.pivot("repro", env=env).expect(0).out
