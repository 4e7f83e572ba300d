"""A clone that has no bytes of outputs plans from records alone, and pulls what a stage that runs reads."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

PIPELINE = """
    from typing import Annotated
    import pivot

    Text = pivot.loaders.Text()

    def prepare(rows: Annotated[list, pivot.Dep("rows.json")]) -> Annotated[str, pivot.Out("ready.txt", Text)]:
        return "".join(f"{row}\\n" for row in rows) * 400_000

    def split(
        ready: Annotated[str, pivot.Dep("ready.txt", Text)]
    ) -> Annotated[dict[str, str], pivot.DirectoryOut("parts/", Text)]:
        return {f"{number}.txt": f"{number} of {len(ready)}" for number in range(150)}

    def count(ready: Annotated[str, pivot.Dep("ready.txt", Text)]) -> Annotated[int, pivot.Out("count.json")]:
        return len(ready)

    def report(count: Annotated[int, pivot.Dep("count.json")]) -> Annotated[str, pivot.Out("report.txt", Text)]:
        return f"{count} characters"

    pipeline = pivot.Pipeline("p")
    for stage in (prepare, split, count, report):
        pipeline.register(stage)
"""
FILES = ("ready.txt", "parts", "count.json", "report.txt")


@pytest.fixture
def mine(repo: Repo) -> Repo:
    """Everything has been run here, and pushed: state to `server.git`, bytes to `lab`."""
    lab = repo.path.parent / "lab"
    repo.write("pipeline.py", PIPELINE)
    repo.write("rows.json", "[1, 2, 3]")
    repo.write(".pivotconfig", f'[pivot-remote "lab"]\n\turl = {lab}\n')
    repo.commit("a pipeline")
    repo.clone(repo.path.parent / "server.git", "--bare")
    repo.git("remote", "add", "origin", str(repo.path.parent / "server.git"))
    repo.pivot("trust", "--yes").expect(0)
    repo.pivot("repro").expect(0)
    repo.pivot("push").expect(0)
    return repo


@pytest.fixture
def theirs(mine: Repo) -> Repo:
    """A clone without any bytes."""
    made = Repo(mine.path.parent / "theirs")
    mine.git("clone", "--quiet", str(mine.path.parent / "server.git"), str(made.path))
    made.pivot("init", "--trust").expect(0)
    made.pivot("fetch").expect(0)
    return made


def here(repo: Repo) -> list[str]:
    return [path for path in FILES if repo.exists(path)]


def pulled(repo: Repo, *args: str) -> list[str]:
    """The stages for which a run pulls something."""
    events = repo.pivot("repro", "--json", *args).expect(0).events()
    return [event["stage"] for event in events if event["event"] == "pulling"]


def test_a_fresh_clone_runs_nothing_and_pulls_final_outputs_alone(theirs: Repo) -> None:
    assert ran(theirs) == []
    assert here(theirs) == ["parts", "report.txt"]
    assert theirs.read("report.txt") == "2400000 characters"
    assert ran(theirs) == []
    assert theirs.status() == ""


def test_only_what_is_asked_for_is_pulled(theirs: Repo) -> None:
    assert pulled(theirs, "count") == ["count"]
    assert here(theirs) == ["count.json"]


def test_an_edited_stage_pulls_its_own_inputs_and_no_others(theirs: Repo) -> None:
    theirs.replace("pipeline.py", 'f"{count} characters"', 'f"{count} letters"')
    assert endings(theirs, "report") == {
        "prepare": "unchanged",
        "count": "unchanged",
        "report": "ran",
    }
    assert here(theirs) == ["count.json", "report.txt"]


def test_status_says_what_is_elsewhere_and_asks_nobody(theirs: Repo, mine: Repo) -> None:
    shutil.rmtree(mine.path.parent / "lab")
    said = theirs.pivot("status").expect(0).out
    assert said.startswith("All 4 stages up to date.\n")
    assert "Outputs of 4 stages are not here" in said


def test_what_the_remote_turns_out_not_to_have_is_made_again(theirs: Repo, mine: Repo) -> None:
    shutil.rmtree(mine.path.parent / "lab")
    assert ran(theirs, "count") == ["prepare", "count"]


def test_a_remote_out_of_reach_fails_what_needs_it_and_names_the_remote(theirs: Repo) -> None:
    theirs.git("config", "pivot-remote.lab.url", "ssh://127.0.0.1:9/lab")  # nobody listens there
    said = theirs.pivot("repro", "count").expect(1).out
    assert "127.0.0.1" in said
    assert here(theirs) == []
    assert theirs.pivot("status").expect(0).out.startswith("All 4 stages up to date.\n")


@pytest.mark.parametrize("option", [["--no-pull"], []])
def test_without_pulling_everything_is_run_here(theirs: Repo, option: list[str]) -> None:
    theirs.git("config", "pivot.pull", "auto" if option else "never")
    assert ran(theirs, *option, "count") == ["prepare", "count"]


def test_with_pull_all_every_output_comes(theirs: Repo) -> None:
    theirs.git("config", "pivot.pull", "all")
    assert ran(theirs) == []
    assert here(theirs) == list(FILES)


def test_a_part_of_a_directory_that_is_elsewhere_can_be_read(theirs: Repo, mine: Repo) -> None:
    theirs.replace(
        "pipeline.py",
        'count: Annotated[int, pivot.Dep("count.json")]',
        'one: Annotated[str, pivot.Dep("parts/1.txt", Text)]',
    )
    theirs.replace("pipeline.py", 'f"{count} characters"', "one")
    assert ran(theirs, "report") == ["report"]
    assert theirs.read("report.txt") == "1 of 2400000"


def test_a_stage_that_fails_does_not_keep_others_from_their_bytes(theirs: Repo) -> None:
    theirs.replace("pipeline.py", "return len(ready)", "raise ValueError")
    assert endings(theirs, "--keep-going", code=1)["split"] == "restored"


def test_an_edit_of_an_input_that_is_pulled_is_kept(theirs: Repo) -> None:
    theirs.write("count.json", json.dumps(7))
    theirs.replace("pipeline.py", 'f"{count} characters"', 'f"{count} letters"')
    assert theirs.pivot("repro", "report").expect(0)
    assert theirs.read("report.txt") == "2400000 letters"
    assert "count.json" in theirs.pivot("saved").expect(0).out
