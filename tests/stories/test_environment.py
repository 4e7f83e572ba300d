"""Environment variables that modules read, one by one or all at once, and packages that come and go meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Repo
from tests.support.stories import endings, ran

PIPELINE = """
import os
from typing import Annotated
import pivot
from pivot import Out

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("ACME_")}
WHOLE = os.environ.copy()
INSIDE = os.environ.get("GIT_PIVOT_INSIDE")

def some() -> Annotated[int, Out("some.json")]:
    return len(SETTINGS)

def every() -> Annotated[int, Out("every.json")]:
    return len(WHOLE) and 1

def none() -> Annotated[int, Out("none.json")]:
    return len(dict(os.environ.items())) and 2

pipeline = pivot.Pipeline("p")
for one in (some, every, none):
    pipeline.register(one)
"""


@pytest.fixture
def settled(repo: Repo) -> Repo:
    """All stages have run, and a second `repro` has found nothing to do."""
    repo.write("pipeline.py", PIPELINE)
    repo.commit("the pipeline")
    assert sorted(ran(repo)) == ["every", "none", "some"]
    assert ran(repo) == []
    return repo


SESSION = {
    "another folder": {"OLDPWD": "/elsewhere", "PWD": "/there"},
    "another shell": {"SHLVL": "7", "_": "/bin/other"},
    "another terminal": {"TERM": "dumb", "COLUMNS": "20", "SSH_TTY": "/dev/pts/7"},
    "a hook of Git": {"GIT_PREFIX": "", "GIT_PIVOT_INSIDE": "/elsewhere"},
}


@pytest.mark.parametrize("variables", SESSION.values(), ids=SESSION.keys())
def test_variables_of_the_session_are_no_evidence(settled: Repo, variables: dict[str, str]) -> None:
    found = settled.pivot("status", env=variables).expect().out
    assert "up to date" in found
    assert settled.pivot("repro", env=variables).expect().err.count("not tracked") == 0


def test_of_a_read_of_all_variables_counts_what_becomes_of_it(settled: Repo) -> None:
    found = settled.pivot("status", env={"ACME_KEY": "1"}).expect().out
    assert {line.split()[0] for line in found.splitlines() if "code changed" in line} == {"some", "every"}


def test_values_of_variables_that_nobody_named_are_not_recorded(repo: Repo) -> None:
    repo.write("pipeline.py", PIPELINE)
    repo.commit("the pipeline")
    repo.pivot("repro", env={"API_TOKEN": "very-secret"}).expect()
    kept = repo.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").splitlines()
    assert kept
    assert not any("very-secret" in repo.git("show", f"refs/pivot/runs:{path}") for path in kept)


def test_an_installation_elsewhere_does_not_move_the_inputs_of_a_stage(repo: Repo, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    repo.write(
        "pipeline.py",
        f"""
import pathlib
from typing import Annotated
import pivot

def work() -> Annotated[int, pivot.Out("out.json")]:
    pathlib.Path({str(installed)!r}, "new.py").touch()
    return 1

pipeline = pivot.Pipeline("p")
pipeline.register(work)
""",
    )
    repo.commit("the pipeline")
    done = repo.pivot("repro", env={"PYTHONPATH": str(installed)}).expect()
    assert "changed while" not in done.err + done.out
    assert endings(repo) == {"work": "unchanged"}
