"""What a fingerprint does not cover, and what people decide about it: accepted changes, environment, reads."""

from __future__ import annotations

from pathlib import Path

from tests.support.repository import Repo
from tests.support.stories import endings, ran

READER = """
import os
import pathlib
from typing import Annotated
import pivot

def reader() -> Annotated[str, pivot.Out("out.txt")]:
    return pathlib.Path("secret.txt").read_text() + os.environ.get("FLAVOUR", "plain")

pipeline = pivot.Pipeline("reader")
pipeline.register(reader)
"""


WRITES = """    pathlib.Path("left.txt").write_text("x")
    pathlib.Path("gone.txt").write_text("x")
    pathlib.Path("gone.txt").unlink()
"""


def reader(repo: Repo) -> Repo:
    repo.write("secret.txt", "salt")
    repo.write("pipeline.py", READER)
    repo.commit("reader")
    return repo


def test_an_accepted_change_runs_nothing_until_it_is_revoked(helper_page: Repo) -> None:
    ran(helper_page)
    helper_page.replace("pipeline.py", "top = max(values)", "top = max(list(values))")
    assert "process" in helper_page.pivot("accept", "process", "-m", "only a copy").expect(0).out
    assert endings(helper_page) == {"process": "unchanged", "count": "unchanged"}
    assert "process  accepted by " in helper_page.pivot("status").expect(0).out
    assert "only a copy" in helper_page.git("log", "--format=%s", "refs/pivot/accepted")
    helper_page.pivot("accept", "process", "--revoke").expect(0)
    assert ran(helper_page) == ["process"]


def test_there_is_nothing_to_accept_when_nothing_changed(helper_page: Repo) -> None:
    ran(helper_page)
    assert "no change to accept" in helper_page.pivot("accept", "process", "-m", "why").expect(2).err


def test_an_undeclared_read_is_said_by_repro_and_by_status_until_it_is_mended(repo: Repo) -> None:
    said = "it reads secret.txt (pipeline.py:7) without declaring it"
    assert said in reader(repo).pivot("repro").expect(0).out
    assert said in repo.pivot("status").expect(0).out
    assert said in repo.pivot("status").expect(0).out
    assert said in repo.pivot("repro").expect(0).out
    repo.git("config", "pivot.undeclared", "ignore")
    assert said not in repo.pivot("status").expect(0).out


def test_an_undeclared_file_that_stays_behind_is_said_and_one_that_does_not_is_not(repo: Repo) -> None:
    reader(repo).write("pipeline.py", READER.replace("    return", WRITES + "    return"))
    said = repo.pivot("repro").expect(0).out
    assert "writes left.txt (pipeline.py:7)" in said
    assert "gone.txt" not in said


def test_an_undeclared_read_can_be_an_error(repo: Repo) -> None:
    reader(repo).git("config", "pivot.undeclared", "error")
    assert "secret.txt" in repo.pivot("repro").expect(1).out
    assert not repo.exists("out.txt")


def test_a_changed_environment_variable_is_a_warning(repo: Repo) -> None:
    ran(reader(repo))
    said = repo.pivot("status", env={"FLAVOUR": "sweet"}).expect(0).out
    assert "environment variable changed since its result was made: $FLAVOUR (not set) -> sweet" in said


def test_a_changed_environment_variable_reruns_where_that_is_wanted(repo: Repo) -> None:
    ran(reader(repo))
    repo.git("config", "pivot.env", "rerun")
    assert ran(repo) == []
    assert "1 ran" in repo.pivot("repro", env={"FLAVOUR": "sweet"}).expect(0).out
    assert Path(repo.path / "out.txt").read_text() == "saltsweet"
    assert "0 ran" in repo.pivot("repro", env={"FLAVOUR": "sweet"}).expect(0).out
