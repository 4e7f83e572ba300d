"""Switching branches through real git and the installed hook: outputs follow, and nothing is lost on the way."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.files import FileLock
from pivot.noop.checkout_check import MOST_NOTE, nothing_to_do
from tests.hooks.support import git_says, two_branches
from tests.support.examples import HELPER
from tests.support.repository import Repo
from tests.support.stories import ran

MORE = """
def more(
    raw: Annotated[dict, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[int, pivot.Out("more.json", pivot.loaders.JSON())]:
    return 2 * len(raw["records"])
"""


def test_outputs_follow_the_branch_there_and_back_and_nothing_is_left_to_run(branches: Repo) -> None:
    other = branches.read("processed.json")
    assert git_says(branches, "switch", "main") == ["other -> main: 1 output restored, 1 unchanged"]
    main = branches.read("processed.json")
    assert "keep" in str({e["action"] for e in branches.pivot("status", "--json").json()["stages"]})
    git_says(branches, "switch", "other")
    assert (branches.read("processed.json"), main != other) == (other, True)


def test_an_edit_is_kept_when_the_output_is_replaced_and_is_back_with_its_commit(branches: Repo) -> None:
    branches.write("processed.json", "my own words\n")
    said = git_says(branches, "switch", "main")
    assert [line.partition(" had edits")[0] for line in said] == [
        "other -> main: 1 output restored, 1 unchanged",
        "processed.json",
    ]
    got = said[1].partition("git pivot get ")[2].split()[0]
    branches.pivot("get", got, "-o", "edit.txt").expect(0)
    assert branches.read("edit.txt") == "my own words\n"
    for _ in range(2):
        told = git_says(branches, "switch", "other")[-1]
        assert told.startswith("processed.json is as you had edited it")
        assert branches.read("processed.json") == "my own words\n"
        git_says(branches, "switch", "main")
        assert "my own" not in branches.read("processed.json")


def test_an_edit_that_was_taken_back_is_not_back_a_second_time(branches: Repo) -> None:
    branches.write("processed.json", "my own words\n")
    for branch in ("main", "other"):
        git_says(branches, "switch", branch)
    branches.pivot("checkout", "processed.json").expect(0)
    for branch in ("main", "other"):
        git_says(branches, "switch", branch)
    assert "my own" not in branches.read("processed.json")


def test_a_switch_without_a_difference_says_nothing(branches: Repo) -> None:
    branches.write("unrelated.txt", "x\n")
    branches.commit("unrelated")
    assert git_says(branches, "switch", "--detach", "HEAD~1") == []


def test_the_glance_knows_that_there_is_nothing_to_do(branches: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    branches.git("switch", "--quiet", "main")
    monkeypatch.chdir(branches.path)
    assert nothing_to_do(branches.head())
    assert not nothing_to_do(branches.git("rev-parse", "other"))
    branches.write("processed.json", "edited\n")
    assert not nothing_to_do(branches.head())


def test_the_glance_reads_no_more_than_a_note_may_have(branches: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    branches.git("switch", "--quiet", "main")
    monkeypatch.chdir(branches.path)
    note = branches.git("notes", "--ref=pivot", "show")
    for size, answer in ((MOST_NOTE - len(note) - 2, True), (MOST_NOTE + 1, False)):
        oid = branches.git("hash-object", "-w", "--stdin", stdin=note + "\n" * size)
        branches.git("notes", "--ref=pivot", "add", "--force", "-C", oid)
        assert nothing_to_do(branches.head()) is answer


def test_an_output_of_a_stage_that_is_not_here_goes_away_and_comes_back(branches: Repo) -> None:
    branches.replace("pipeline.py", "pipeline.register(count)\n", "pipeline.register(count)\npipeline.register(more)\n")
    branches.replace("pipeline.py", "pipeline = ", MORE + "\npipeline = ")
    assert ran(branches) == ["more"]
    branches.commit("one stage more")
    assert git_says(branches, "switch", "main") == ["other -> main: 1 output restored, 1 removed, 1 unchanged"]
    assert not branches.exists("more.json")
    assert git_says(branches, "switch", "other") == ["main -> other: 2 outputs restored, 1 unchanged"]
    assert (branches.exists("more.json"), branches.status()) == (True, "")


def test_an_edited_output_of_a_stage_that_is_not_here_stays(branches: Repo) -> None:
    test_an_output_of_a_stage_that_is_not_here_goes_away_and_comes_back(branches)
    branches.write("more.json", "my own words\n")
    assert "more.json is no output here and stays, since it was edited" in git_says(branches, "switch", "main")
    assert (branches.read("more.json"), branches.status()) == ("my own words\n", "")


def test_at_a_commit_without_a_note_nothing_is_touched(branches: Repo) -> None:
    assert git_says(branches, "switch", "--orphan", "bare") == []
    branches.git("commit", "--quiet", "--allow-empty", "--message", "nothing", "--no-verify")
    branches.git("switch", "--quiet", "other")
    before = branches.read("processed.json")
    said = git_says(branches, "switch", "bare")
    assert len(said) == 1 and "has no note" in said[0]
    assert branches.read("processed.json") == before


def test_a_stale_stage_is_named_and_keeps_its_outputs(branches: Repo) -> None:
    branches.replace("pipeline.py", "2 * value", "3 * value")
    branches.pivot("status").expect(0)
    branches.commit("changed, not run")
    branches.git("switch", "--quiet", "main")
    assert git_says(branches, "switch", "other") == ["main -> other: 1 unchanged, process is stale"]
    assert branches.exists("processed.json")


def test_a_tracked_file_is_never_touched(branches: Repo) -> None:
    branches.git("switch", "--quiet", "main")
    branches.git("add", "--force", "processed.json")
    branches.git("commit", "--quiet", "--message", "tracked by mistake")
    branches.git(
        "notes",
        "--ref=pivot",
        "add",
        "-f",
        "-m",
        note_for(branches, "processed.json", branches.git("rev-parse", "other")),
    )
    branches.git("switch", "--quiet", "other")
    git_says(branches, "switch", "main")
    assert branches.status() == ""


def test_nothing_is_done_while_a_run_holds_the_lock(branches: Repo) -> None:
    before = branches.read("processed.json")
    with FileLock(branches.path / ".git/pivot/lock", "git pivot repro"):
        said = git_says(branches, "switch", "main")
    assert "outputs stay as they are: process" in said[0]
    assert branches.read("processed.json") == before


def test_nothing_is_done_through_a_symlinked_folder(repo: Repo, tmp_path: Path) -> None:
    repo.write("data.json", '{"records": [{"value": 1}, {"value": 2}]}')
    repo.write("pipeline.py", HELPER.replace('"processed.json"', '"out/processed.json"'))
    repo.commit()
    two_branches(repo)
    elsewhere = tmp_path / "elsewhere"
    (repo.path / "out").rename(elsewhere)
    (repo.path / "out").symlink_to(elsewhere)
    before = (elsewhere / "processed.json").read_bytes()
    assert "out/processed.json stays as it is: out is a symlink" in git_says(repo, "switch", "main")
    assert (elsewhere / "processed.json").read_bytes() == before


def test_with_report_nothing_is_touched(branches: Repo) -> None:
    branches.git("config", "pivot.checkout", "report")
    before = branches.read("processed.json")
    assert git_says(branches, "switch", "main") == ["other -> main: 1 output not those of this commit, 1 unchanged"]
    assert branches.read("processed.json") == before


def test_with_pull_what_the_store_lacks_comes_from_the_remote(branches: Repo, tmp_path: Path) -> None:
    main = lose_store_but_for_remote(branches, tmp_path)
    branches.git("config", "pivot.checkout", "pull")
    said = git_says(branches, "switch", "main")  # and that the bytes of `other`, now nowhere else, are kept
    assert said[0] == "other -> main: 1 output restored, 1 unchanged"
    assert branches.git("hash-object", "processed.json") == main


def test_what_a_pull_would_bring_is_counted_with_the_command(branches: Repo, tmp_path: Path) -> None:
    lose_store_but_for_remote(branches, tmp_path)
    [said] = git_says(branches, "switch", "main")
    assert said == "other -> main: 1 unchanged, 1 output not in the store (`git pivot pull` brings it)"


def test_a_remote_that_cannot_be_reached_is_one_line(branches: Repo, tmp_path: Path) -> None:
    lose_store_but_for_remote(branches, tmp_path)
    shutil.rmtree(tmp_path / "outputs")
    branches.git("config", "pivot.checkout", "pull")
    before = branches.read("processed.json")
    said = git_says(branches, "switch", "main")
    assert "1 output not in the store (`git pivot pull` brings it)" in said[0] and "nothing was pulled" in said[1]
    assert (branches.read("processed.json"), len(said)) == (before, 2)


def lose_store_but_for_remote(repo: Repo, tmp_path: Path) -> str:
    """Everything is in the remote of outputs, the store is empty; what main has at processed.json."""
    repo.pivot("remote", "add", "lab", str(tmp_path / "outputs")).expect(0)
    repo.pivot("push", "--all").expect(0)
    shutil.rmtree(repo.path / ".git/pivot/store.git")
    note = repo.git("notes", "--ref=pivot", "show", "main")
    return str(re.search(r"processed\.json=(\w+)", note)[1])  # type: ignore[index]


def test_with_off_nothing_is_said(branches: Repo) -> None:
    branches.git("config", "pivot.checkout", "off")
    assert git_says(branches, "switch", "main") == []


def test_what_can_be_no_output_is_said_to_be_in_the_way(branches: Repo) -> None:
    place = branches.path / "processed.json"
    place.unlink()
    os.mkfifo(place)
    told = "\n".join(git_says(branches, "switch", "main"))
    assert "processed.json could not be restored: this is neither a file" in told
    assert "; `git pivot checkout` brings it when that is gone" in told
    place.unlink()
    branches.pivot("checkout").expect(0)
    assert place.is_file()


def damage_objects(repo: Repo) -> None:
    """Every object of the store is garbage."""
    for path in (repo.path / ".git/pivot/store.git/objects").glob("??/*"):
        path.chmod(0o644)
        path.write_bytes(b"garbage")


def uninstall(repo: Repo) -> None:
    """The Python that the hook calls is not there any more."""
    hook = repo.path / ".git/hooks/post-checkout"
    hook.write_text(re.sub(r"^_python=.*$", "_python=/gone/python", hook.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize(
    "harm, said",
    [
        (lambda repo: repo.git("config", "pivot.checkout", "nonsense"), "must be one of"),
        (lambda repo: (repo.path / ".git/pivot/store.git/HEAD").unlink(), "1 output restored"),
        (lambda repo: shutil.rmtree(repo.path / ".git/pivot/store.git"), "1 output not in the store"),
        (damage_objects, "1 output not in the store|could not be restored"),
        (lambda repo: repo.write(".git/pivot/outputs", "not json"), "1 output restored"),
        (lambda repo: repo.write(".git/refs/notes/pivot", "damaged\n"), "refs/notes/pivot is damaged"),
        (lambda repo: repo.write("pipeline.py", "raise SystemExit('x')\n") and repo.commit("x"), "1 output restored"),
        (lambda repo: repo.git("remote", "add", "origin", "ssh://nowhere.invalid/x"), "1 output restored"),
        (uninstall, "git-pivot is gone"),
    ],
    ids=[
        "setting",
        "store damaged",
        "store gone",
        "bytes damaged",
        "list",
        "notes",
        "pipeline",
        "no network",
        "no Pivot",
    ],
)
def test_whatever_is_broken_the_switch_succeeds_with_one_clear_line(
    branches: Repo, harm: Callable[[Repo], object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    harm(branches)
    folders = os.environ["PATH"].split(os.pathsep)
    plain = [folder for folder in folders if not (Path(folder) / "git-pivot").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(plain))
    lines = branches.run("git", "switch", "main").expect(0).err.splitlines()
    assert branches.git("branch", "--show-current") == "main"
    told = [line for line in lines if line.startswith("pivot: ")]
    assert len(lines) == 2 and len(told) == 1 and re.search(said, told[0]), lines


def test_a_second_work_tree_gets_its_outputs(branches: Repo, tmp_path: Path) -> None:
    said = git_says(branches, "worktree", "add", "--quiet", str(tmp_path / "second"), "main")
    assert said == ["main: 2 outputs restored, 0 unchanged"]
    second = Repo(tmp_path / "second")
    assert second.exists("processed.json")
    assert second.read("processed.json") != branches.read("processed.json")
    second.git("switch", "--quiet", "--detach", "other")
    assert second.read("processed.json") == branches.read("processed.json")


def test_single_outputs_and_folders_on_a_bare_path(branches: Repo) -> None:
    said = branches.run("git", "switch", "main", env={"PATH": "/usr/bin:/bin"}).expect(0).err
    assert "1 output restored" in said


def test_the_index_variable_of_a_caller_does_not_mislead(branches: Repo) -> None:
    index = str(branches.path / ".git" / "index")
    said = branches.run("git", "switch", "main", env={"GIT_INDEX_FILE": index, "GIT_DIR": ".git"}).expect(0).err
    assert "1 output restored" in said


def note_for(repo: Repo, path: str, commit: str) -> str:
    """HEAD's note as it would be with the output that another commit has."""
    tree = repo.git("rev-parse", "HEAD^{tree}")[:12]
    line = next(one for one in repo.git("notes", "--ref=pivot", "show", commit).splitlines() if path in one)
    fields = line.split()
    return " ".join([*fields[:3], tree, *fields[4:]])
