"""Every kind of artifact through the real command: what an edit of a declaration runs again, and what it does not."""

from __future__ import annotations

import json

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

PIPELINE = """
from __future__ import annotations

from typing import Annotated, TypedDict

import pivot
from pivot.loaders import CSV, JSON


class Params(pivot.StageParams):
    factor: int = 2
    layers: list[int] = [1]


class Upper:
    def __init__(self, end):
        self.end = end

    def save(self, value, path):
        path.write_text(value.upper() + self.end)


class Outs(TypedDict):
    parts: Annotated[dict[str, int], pivot.DirectoryOut("parts/", JSON())]
    total: Annotated[dict, pivot.Metric("out/total.json")]


pipeline = pivot.Pipeline("p")


@pipeline.register
def split(rows: Annotated[list, pivot.Dep("rows.csv", CSV(sep=";"))], params: Params) -> Outs:
    parts = {f"{row['name']}.json": int(row["value"]) * params.factor for row in rows}
    return {"parts": parts, "total": {"count": len(rows)}}


History = Annotated[list, pivot.IncrementalOut("out/history.json")]


@pipeline.register
def remember(parts: Annotated[dict[str, int], pivot.Dep("parts/", JSON())], before: History) -> History:
    return [*before, sum(parts.values())]


def shout(total: Annotated[dict, pivot.PlaceholderDep()]) -> Annotated[str, pivot.Out("out/shout.txt", Upper("!"))]:
    return f"total {total['count']}"


pipeline.register(shout, dep_path_overrides={"total": "out/total.json"})
"""
SPLIT, REMEMBER, SHOUT = "work/split", "work/remember", "work/shout"


@pytest.fixture
def done(repo: Repo) -> Repo:
    """The pipeline above in a folder of its own, committed and run once."""
    repo.write("work/rows.csv", "name;value\na;1\nb;2\n")
    repo.write("work/pipeline.py", PIPELINE)
    repo.commit("the pipeline")
    assert sorted(ran(repo)) == [REMEMBER, SHOUT, SPLIT]
    return repo


def test_every_output_is_there_and_git_sees_none(done: Repo) -> None:
    assert (done.read("work/parts/a.json"), done.read("work/parts/b.json")) == ("2\n", "4\n")
    assert json.loads(done.read("work/out/history.json")) == [6]
    assert done.read("work/out/shout.txt") == "TOTAL 2!"
    assert done.status() == ""
    assert ran(done) == []


# (what is edited, old, new, the stages that run)
EDITS = [
    ("the default of a parameter", "factor: int = 2", "factor: int = 3", [REMEMBER, SPLIT]),
    ("a setting of a loader", 'CSV(sep=";")', 'CSV(sep=";", encoding="ascii")', [SPLIT]),
    ("the state of a custom loader", 'Upper("!")', 'Upper("?")', [SHOUT]),
    ("the code of a custom loader", "value.upper()", "value.lower()", [SHOUT]),
    ("the path of an output", '"out/shout.txt"', '"out/loud.txt"', [SHOUT]),
    ("the flags of an output", '"out/total.json")]', '"out/total.json", keep=True)]', [SPLIT]),
    ("a comment above the stages", "class Outs", "# a comment\nclass Outs", []),
    ("the name of an annotation", "History", "Past", []),
]


@pytest.mark.parametrize(("old", "new", "runs"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS])
def test_an_edit_of_a_declaration_runs_what_it_reaches(done: Repo, old: str, new: str, runs: list[str]) -> None:
    done.replace("work/pipeline.py", old, new)
    assert sorted(ran(done)) == runs


def test_vanished_keys_and_the_previous_version_are_handled(done: Repo) -> None:
    done.write("work/rows.csv", "name;value\na;1\n")
    assert sorted(ran(done)) == [REMEMBER, SHOUT, SPLIT]
    assert not done.exists("work/parts/b.json")
    assert json.loads(done.read("work/out/history.json")) == [6, 2]


def test_a_wrong_declaration_is_one_sentence_with_its_line(done: Repo) -> None:
    done.replace("work/pipeline.py", '"out/shout.txt"', '"parts/shout.txt"')
    assert done.pivot("status").expect(2).err == (
        "error: work/pipeline.py:44: outputs overlap: parts/shout.txt of stage `shout` and parts of stage `split`\n"
        "  The other is declared at work/pipeline.py:23. Give one another path.\n"
    )
