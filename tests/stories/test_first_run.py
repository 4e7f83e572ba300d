"""The first run in repositories that are not as the example: it works, or one sentence says what to do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.examples import DATA, FRONT_PAGE
from tests.support.repository import Repo
from tests.support.stories import endings, ran, wait_for

BOTH = ["preprocess", "summarize"]


def test_without_a_commit_everything_runs_and_nothing_is_noted(repo: Repo) -> None:
    repo.write("data.json", DATA)
    repo.write("pipeline.py", FRONT_PAGE)
    assert ran(repo) == BOTH
    assert ran(repo) == []
    repo.git("rev-parse", "--verify", "--quiet", "refs/notes/pivot", code=1)


def test_on_a_detached_head_the_commit_is_noted(front_page: Repo) -> None:
    front_page.git("checkout", "--quiet", "--detach")
    assert ran(front_page) == BOTH
    assert front_page.git("notes", "--ref=pivot", "show").startswith("preprocess ")


def test_without_a_user_name_results_are_recorded(front_page: Repo, tmp_path: Path) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": str(tmp_path / "empty"), "EMAIL": None}
    (tmp_path / "empty").write_text("[user]\n\tuseConfigOnly = true\n")
    front_page.pivot("repro", env=nobody).expect(0)
    assert "preprocess" in front_page.git("log", "--format=%s", "refs/pivot/runs")
    assert ran(front_page) == []


def test_untracked_data_makes_what_depends_on_it_unknown_in_the_note(repo: Repo) -> None:
    repo.write("pipeline.py", FRONT_PAGE)
    repo.commit("no data")
    repo.write("data.json", DATA)
    assert ran(repo) == BOTH
    tree = repo.git("rev-parse", "HEAD^{tree}")[:12]
    assert repo.git("notes", "--ref=pivot", "show") == f"preprocess unknown {tree}\nsummarize unknown {tree}"


def test_an_uncommitted_edit_makes_its_stage_unknown_in_the_note(front_page: Repo) -> None:
    front_page.replace("pipeline.py", "all(row.values())", "True")
    front_page.replace("pipeline.py", "sum(values)", "sum(v or 0 for v in values)")
    ran(front_page)
    assert all(line.split(" ")[1] == "unknown" for line in front_page.git("notes", "--ref=pivot", "show").splitlines())


@pytest.mark.parametrize("folder", ["with space", "dätä ñ", "a'b\"c", "-dash", "100%"])
def test_odd_paths_work(repo: Repo, folder: str) -> None:
    repo.write(f"{folder}/data.json", DATA)
    repo.write(f"{folder}/pipeline.py", FRONT_PAGE)
    repo.commit("odd")
    first = endings(repo)
    assert list(first.values()) == ["ran", "ran"]
    assert repo.status() == ""
    assert set(endings(repo).values()) == {"unchanged"}


def test_in_a_sparse_checkout_the_pipeline_that_is_there_runs(front_page: Repo) -> None:
    front_page.write("elsewhere/notes.txt", "not needed\n")
    front_page.commit("more")
    front_page.git("sparse-checkout", "set", "--no-cone", "/*.py", "/*.json")
    assert not front_page.exists("elsewhere")
    assert ran(front_page) == BOTH
    assert front_page.status() == ""


def test_outside_a_repository_the_next_command_is_named(tmp_path: Path, repo: Repo) -> None:
    (tmp_path / "nowhere").mkdir()
    said = repo.pivot("repro", cwd=str(tmp_path / "nowhere")).expect(2).err
    assert "git init" in said
    assert "Traceback" not in said


def test_a_repository_of_another_user_gives_gits_own_sentence(front_page: Repo) -> None:
    owned = front_page.pivot("repro", env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    # libgit2 and git each ask for themselves; only git knows this variable.
    assert owned.code in (0, 2)
    if os.geteuid() != 0:
        pytest.skip("needs root to give a repository to another user")
    for path in [front_page.path, *front_page.path.rglob("*")]:
        os.lchown(path, 12345, 12345)
    said = front_page.pivot("repro", env={"HOME": str(front_page.path.parent)}).expect(2).err
    assert "safe.directory" in said
    assert "Traceback" not in said


def test_a_read_only_git_folder_runs_warns_and_records_nothing(front_page: Repo) -> None:
    with read_only(front_page.path / ".git"):
        result = front_page.pivot("repro").expect(0)
    assert "nothing will be recorded" in result.err
    assert front_page.exists("summary.json")
    assert not front_page.exists(".git/pivot")


def test_from_a_subfolder_the_repository_is_found(front_page: Repo) -> None:
    (front_page.path / "deep/down").mkdir(parents=True)
    front_page.pivot("repro", cwd="deep/down").expect(0)
    front_page.pivot("repro", "../../summary.json", cwd="deep/down").expect(0)


def test_two_repros_at_once_wait_for_each_other(front_page: Repo) -> None:
    front_page.replace("pipeline.py", "    clean = [", "    import time; time.sleep(0.5)\n    clean = [")
    both = [front_page.start_pivot("repro") for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted("2 ran" in out for out, _ in said) == [False, True]
    assert sum("waiting: process" in err for _, err in said) == 1


def test_a_dep_that_changes_while_its_stage_runs_is_planned_again(front_page: Repo) -> None:
    front_page.write("slow.py", "")
    front_page.replace(
        "pipeline.py",
        "    clean = [",
        "    import os, time\n    while not os.path.exists('/dev/null'): pass\n    time.sleep(1)\n    clean = [",
    )
    process = front_page.start_pivot("repro", "--json")
    wait_for(process, '"event": "started", "stage": "preprocess"')
    front_page.write("data.json", DATA.replace('"value": 3', '"value": 5'))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert "inputs changed while running (data.json)" in out
    assert '"mean": 3.0' in front_page.read("summary.json")
    records = front_page.git("ls-tree", "-r", "--name-only", "refs/pivot/runs").splitlines()
    assert sum(path.endswith("/record") for path in records) == 2


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing can be written below `folder`, not even by root."""
    if os.geteuid() == 0:
        made = subprocess.run(["chattr", "-R", "+i", str(folder)], check=False, capture_output=True)
        if made.returncode:
            pytest.skip("root may write anything here: this file system has no immutable flag")
        try:
            yield
        finally:
            subprocess.run(["chattr", "-R", "-i", str(folder)], check=True)
        return
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")] if path.is_dir()}
    for path in modes:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
