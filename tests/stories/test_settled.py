"""With nothing to do, what was said is said again; whatever could change the answer makes it be found out anew."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

SETTLED = ".git/pivot/cache/settled"


@pytest.fixture
def settled(front_page: Repo) -> Repo:
    """Up to date, and remembered as such."""
    front_page.write("helper.py", "FACTOR = 1\n")
    front_page.replace("pipeline.py", "import pivot\n", "import pivot\nfrom helper import FACTOR\n")
    front_page.replace("pipeline.py", "sum(values) / len", "FACTOR * sum(values) / len")
    front_page.commit("with a helper")
    ran(front_page)
    time.sleep(0.1)  # what was written a moment ago is not trusted by its time
    front_page.pivot("repro").expect(0)
    return front_page


def answered_from_memory(repo: Repo, *command: str) -> bool:
    """Whether the answer came without looking: the memory file then stays as it is, were it wrong."""
    path = repo.path / SETTLED
    before = path.read_bytes()
    traced = repo.pivot(*command, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert path.read_bytes() == before or command[0] == "repro"
    return "pivot.plan.planner" not in traced.err


def test_repro_and_status_with_nothing_to_do_do_not_import_the_planner(settled: Repo) -> None:
    # The variable that traces imports is not one that Pivot watches.
    assert answered_from_memory(settled, "repro")
    assert answered_from_memory(settled, "repro", "--quiet")
    assert answered_from_memory(settled, "status")
    assert settled.pivot("status").expect(0).out == "All 2 stages up to date.\n"
    assert settled.pivot("repro").expect(0).out.startswith("0 ran, 0 restored, 2 unchanged, 0 failed in ")


CHANGES: dict[str, tuple[Callable[[Repo], object], str]] = {
    "code": (lambda repo: repo.replace("helper.py", "FACTOR = 1", "FACTOR = 2"), "code changed: const:FACTOR"),
    "data": (lambda repo: repo.replace("data.json", '"value": 3', '"value": 4'), "data changed: data.json"),
    "an output edited": (lambda repo: repo.write("clean.json", "{}"), "output differs: clean.json"),
    "an output deleted": (lambda repo: (repo.path / "summary.json").unlink(), "output missing: summary.json"),
    "a module in front": (lambda repo: repo.write("helper/__init__.py", "FACTOR = 3\n"), "code changed: const:FACTOR"),
    "a new pipeline": (
        lambda repo: repo.write("sub/pipeline.py", "import pivot\npipeline = pivot.Pipeline('p')\nx = nothing\n"),
        "NameError",
    ),
    "the run cache": (lambda repo: repo.git("update-ref", "-d", "refs/pivot/runs"), "summarize"),
    "the output tracked": (lambda repo: repo.git("add", "-f", "clean.json"), "git rm --cached clean.json"),
    "a setting that means nothing": (lambda repo: repo.git("config", "pivot.link", "magic"), "pivot.link"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(settled: Repo, change: str) -> None:
    make, said = CHANGES[change]
    make(settled)
    result = settled.pivot("status")
    assert said in result.out + result.err


def test_a_change_of_what_only_the_run_imports_is_seen(front_page: Repo) -> None:
    front_page.write("extra/late.py", "ONE = 1\n")
    front_page.replace("pipeline.py", "sum(values) / len", "__import__('extra.' + 'late').late.ONE * sum(values) / len")
    ran(front_page)
    time.sleep(0.1)
    front_page.pivot("repro").expect(0)
    assert answered_from_memory(front_page, "status")

    front_page.write("extra/late.py", "ONE = 2\n")
    assert "module:extra/late.py" in front_page.pivot("status").out
    front_page.write("extra/late.py", "ONE = 1\n")
    front_page.write("extra/late/__init__.py", "ONE = 3\n")
    assert "extra/late" in front_page.pivot("status").out


@pytest.mark.parametrize("first", ["status", "dag"])
def test_a_new_commit_gets_its_note_and_outputs_are_ignored_again(settled: Repo, first: str) -> None:
    """What a status remembers is no reason for a run to leave out what only runs do."""
    settled.write("unrelated.txt", "x")
    settled.commit("unrelated")
    (settled.path / ".git/info/exclude").unlink()
    settled.pivot(first).expect(0)
    settled.pivot("repro").expect(0)
    assert settled.git("notes", "--ref=pivot", "show").startswith("preprocess ")
    assert settled.git("status", "--short") == ""


def test_without_the_store_the_outputs_are_stored_again(settled: Repo) -> None:
    shutil.rmtree(settled.path / ".git/pivot/store.git")
    settled.pivot("repro").expect(0)
    (settled.path / "clean.json").unlink()
    assert ran(settled) == []


def test_a_copy_of_the_repository_answers_for_itself(settled: Repo, tmp_path: Path) -> None:
    shutil.copytree(settled.path, tmp_path / "copy", symlinks=True)
    copy = Repo(tmp_path / "copy")
    copy.replace("helper.py", "FACTOR = 1", "FACTOR = 2")
    assert "summarize  code changed: const:FACTOR" in copy.pivot("status").expect(0).out
    assert ran(copy) == ["summarize"]
    assert settled.pivot("status").expect(0).out == "All 2 stages up to date.\n"


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\0" * 100])
def test_a_damaged_memory_costs_nothing_but_time(settled: Repo, damage: bytes) -> None:
    (settled.path / SETTLED).write_bytes(damage)
    assert settled.pivot("status").expect(0).out == "All 2 stages up to date.\n"


def test_an_edit_in_the_moment_of_the_look_is_seen(front_page: Repo) -> None:
    for value in range(3, 9):
        front_page.write("data.json", f'{{"records": [{{"name": "a", "value": {value}}}]}}')
        assert ran(front_page) == ["preprocess", "summarize"]
        front_page.pivot("repro").expect(0)
