"""`adopt`, `clean`, `saved`, `get`: outputs in and out of the work tree, and nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran


def test_clean_removes_what_the_store_has_and_repro_brings_it_back(front_page: Repo) -> None:
    ran(front_page)
    assert "removed 2 outputs" in front_page.pivot("clean").expect(0).out
    assert not front_page.exists("clean.json")
    assert endings(front_page) == {"preprocess": "restored", "summarize": "restored"}


def test_clean_keeps_an_edit_that_nobody_else_has(front_page: Repo) -> None:
    ran(front_page)
    front_page.write("summary.json", "mine")
    assert "kept summary.json: its bytes are not in the store" in front_page.pivot("clean").expect(0).out
    assert front_page.read("summary.json") == "mine"


def test_an_edit_of_an_output_is_saved_before_it_is_replaced_and_can_be_had_again(front_page: Repo) -> None:
    ran(front_page)
    front_page.write("summary.json", "mine")
    said = front_page.pivot("repro").expect(0).out
    assert "git pivot get " in said
    assert front_page.read("summary.json") != "mine"
    command = said.split("git pivot ")[1].splitlines()[0].split()
    front_page.pivot(*command).expect(0)
    assert front_page.read("summary.json.saved") == "mine"
    assert "summary.json" in front_page.pivot("saved").expect(0).out


def test_saved_edits_are_listed_as_data_too(front_page: Repo) -> None:
    front_page.write("clean.json", "made by hand")
    ran(front_page)
    listed = front_page.pivot("saved", "--json").expect(0).json()["saved"]
    assert [(entry["path"], entry["size"]) for entry in listed] == [("clean.json", len("made by hand"))]


def test_an_edit_is_saved_before_its_stage_runs_over_it(front_page: Repo) -> None:
    front_page.write("clean.json", "made by hand")
    ran(front_page)
    assert "clean.json" in front_page.pivot("saved").expect(0).out


def test_get_refuses_to_overwrite_and_names_what_it_does_not_know(front_page: Repo) -> None:
    assert "git pivot saved" in front_page.pivot("get", "abcdef", "-o", "x").expect(2).err


@pytest.mark.parametrize(
    "place, why",
    [
        (".git/hooks/post-checkout", "into Git's own folder"),
        (".GIT/config.new", "into Git's own folder"),
        ("linked/x", "through the symlink linked"),
        ("inner/x", "a repository of its own"),
        ("gone.txt", "Git tracks gone.txt"),
        ("../other/.git/x", "in a folder of Git's own"),
    ],
)
def test_get_writes_nothing_where_no_output_may_be(front_page: Repo, place: str, why: str) -> None:
    ran(front_page)
    front_page.write("gone.txt", "tracked\n")
    front_page.commit("a file")
    (front_page.path / "gone.txt").unlink()
    (front_page.path / "linked").symlink_to(front_page.path.parent)
    Repo.init(front_page.path / "inner")
    (front_page.path.parent / "other/.git").mkdir(parents=True)
    assert why in front_page.pivot("get", "HEAD~1", "clean.json", "-o", place).expect(2).err
    assert not (front_page.path / place).exists()


@pytest.mark.parametrize("place", ["copy.json", "new.py", "folder/copy.json", "../outside.json"])
def test_get_writes_to_any_other_place(front_page: Repo, place: str) -> None:
    ran(front_page)
    front_page.pivot("get", "HEAD", "clean.json", "-o", place).expect(0)
    assert front_page.read(place) == front_page.read("clean.json")


def test_adopted_outputs_count_as_the_result_and_the_trail_says_so(front_page: Repo) -> None:
    front_page.write("clean.json", '{"records": [{"value": 5}]}')
    front_page.pivot("adopt", "preprocess", "-m", "computed on the cluster").expect(0)
    assert endings(front_page) == {"preprocess": "unchanged", "summarize": "ran"}
    listed = front_page.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").splitlines()
    infos = [front_page.git("show", f"refs/pivot/runs:{path}") for path in listed if "/info/" in path]
    assert any("computed on the cluster" in info for info in infos)


def test_adopt_needs_the_outputs_to_be_there(front_page: Repo) -> None:
    assert "clean.json is not there" in front_page.pivot("adopt", "preprocess", "-m", "x").expect(2).err


def test_a_link_in_the_place_of_an_output_is_mentioned(front_page: Repo) -> None:
    (front_page.path / "clean.json").symlink_to("nowhere")
    assert "clean.json was a link to nowhere" in front_page.pivot("repro").expect(0).out


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: (path / ".git").mkdir(parents=True)], ids=["pipe", "git"])
def test_what_cannot_be_kept_in_the_place_of_an_output_fails_its_stage_alone(
    front_page: Repo, make: Callable[[Path], object]
) -> None:
    ran(front_page)
    place = front_page.path / "summary.json"
    place.unlink()
    make(place)
    (front_page.path / "clean.json").unlink()
    assert "output differs: summary.json" in front_page.pivot("status").expect(0).out
    said = front_page.pivot("repro", "--keep-going").expect(1).out
    assert "preprocess: restored" in said
    assert str(place) in said
    front_page.replace("pipeline.py", '"mean"', '"average"')
    assert str(place) in front_page.pivot("repro").expect(1).out
    assert place.exists()


def test_an_ignore_rule_that_lets_an_output_through_is_said_by_repro_and_status(front_page: Repo) -> None:
    front_page.write(".gitignore", "!clean.json\n")
    assert "clean.json is an output, and .gitignore:1: !clean.json" in front_page.pivot("repro").expect(0).out
    assert "clean.json is an output, and .gitignore:1: !clean.json" in front_page.pivot("status").expect(0).err
    assert "clean.json is an output, and .gitignore:1: !clean.json" in front_page.pivot("status").expect(0).err


def test_what_is_no_output_any_more_stays_and_is_mentioned(front_page: Repo) -> None:
    ran(front_page)
    front_page.replace("pipeline.py", '"summary.json"', '"other.json"')
    assert "summary.json is no output any more" in front_page.pivot("repro").expect(0).out
    assert front_page.exists("summary.json")
