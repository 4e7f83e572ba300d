"""`git pivot verify`: which claims hold, and which do not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from pivot.git.odb.backend import Author
from pivot.git.odb.open import open_backend
from pivot.state.accepted import Accepted
from tests.support.repository import Repo
from tests.support.stories import ran


@pytest.fixture
def claimed(front_page: Repo) -> Repo:
    """Both stages run, and noted on HEAD."""
    assert ran(front_page) == ["preprocess", "summarize"]
    return front_page


def problems(repo: Repo, *args: str) -> list[str]:
    told = repo.pivot("verify", "--json", *args).expect(1).json()["commits"]
    return [f"{one['stage']}: {one['problem']}" for commit in told for one in commit["problems"]]


def edit_note(repo: Repo, change: Callable[[str], str]) -> None:
    text = change(repo.git("notes", "--ref=pivot", "show", "HEAD"))
    repo.git("notes", "--ref=pivot", "add", "--force", "--message", text)


def test_what_was_run_holds(claimed: Repo) -> None:
    said = claimed.pivot("verify").expect(0).out
    assert said.splitlines()[0] == f"{claimed.head()[:12]}: 2 stages verified"
    assert "not proven: that the note lists every stage" in said


def test_with_the_code_nothing_is_left_unproven(claimed: Repo) -> None:
    assert claimed.pivot("verify", "--code").expect(0).out == f"{claimed.head()[:12]}: 2 stages verified\n"


def stale_claim(repo: Repo, file: str, old: str, new: str) -> None:
    """A commit whose note is that of its parent, with a rewritten tree: nothing was run for it."""
    note = repo.git("notes", "--ref=pivot", "show")
    before = repo.git("rev-parse", "HEAD^{tree}")[:12]
    repo.replace(file, old, new)
    repo.commit("changed, not run")
    now = repo.git("rev-parse", "HEAD^{tree}")[:12]
    repo.git("notes", "--ref=pivot", "add", "--force", "--message", note.replace(before, now))


def test_a_note_with_a_rewritten_tree_over_changed_code_is_found(claimed: Repo) -> None:
    stale_claim(claimed, "pipeline.py", "indent=2", "indent=4")
    assert "not proven" in claimed.pivot("verify").expect(0).out
    assert any("its code in the commit is not the code" in one for one in problems(claimed, "--code"))


def test_a_note_that_leaves_out_a_leaf_stage_is_found(claimed: Repo) -> None:
    lines = claimed.git("notes", "--ref=pivot", "show").splitlines()
    leaf = max(lines, key=lambda line: not any(other.split()[0] == line.split()[0] for other in lines[:-1]))
    edit_note(claimed, lambda text: text.replace(f"{leaf}\n", "").replace(leaf, ""))
    assert "not proven" in claimed.pivot("verify").expect(0).out
    assert problems(claimed, "--code") == [f"{leaf.split()[0]}: its pipeline has it, and the note does not"]


ACCEPTED = "summarize: the result of its changed code, which"


def accepted_change(repo: Repo) -> None:
    """Changed code of `summarize`, accepted as the result of before, and noted on HEAD."""
    repo.replace("pipeline.py", '"count": len(values)', '"count": 1 * len(values)')
    repo.commit("changed")
    repo.pivot("accept", "summarize", "-m", "layout").expect(0)
    assert ran(repo) == []


def test_an_accepted_change_of_code_is_verified_and_named(claimed: Repo) -> None:
    accepted_change(claimed)
    said = claimed.pivot("verify", "--code").expect(0).out
    assert f"not proven: {ACCEPTED}" in said


@pytest.mark.parametrize("change", ["revoked", "of other code", "of another stage", "of another result", "no state"])
def test_an_acceptance_lets_nothing_else_pass(claimed: Repo, change: str) -> None:
    accepted_change(claimed)
    accepted = Accepted(backend := open_backend(claimed.path / ".git", claimed.path / ".git"))
    [held] = accepted.all()
    author = Author("Mallory", "m@example.com", 0, 0)
    if change == "of other code":
        accepted.revoke(held, author)
        accepted.add(replace(held, new=held.new[::-1]), author)
    elif change == "of another stage":
        accepted.add(replace(held, stage="preprocess"), author)
    elif change == "of another result":
        accepted.add(replace(held, result=held.result[::-1]), author)
    elif change == "no state":
        claimed.git("update-ref", "refs/pivot/accepted", "HEAD")
    else:
        claimed.pivot("accept", "summarize", "--revoke").expect(0)
    backend.close()
    assert "summarize: its code in the commit is not the code that gave the result" in problems(claimed, "--code")


TRACKED = """
from typing import Annotated
import pivot

pipeline = pivot.Pipeline("tracked")

@pipeline.register
def work() -> Annotated[str, pivot.Out("{path}"{options})]:
    return "made"
"""


def claims_output(repo: Repo, path: str, **held: str) -> None:
    """A true record of a stage that writes `path`, and a commit that has these files besides."""
    repo.write("pipeline.py", TRACKED.format(path=path, options=held.pop("options", "")))
    repo.commit("pipeline")
    assert ran(repo) == ["work"]
    note = repo.git("notes", "--ref=pivot", "show")
    before = repo.git("rev-parse", "HEAD^{tree}")[:12]
    index = {**held, **({} if held else {path: "made"})}
    for name, text in index.items():
        oid = repo.git("hash-object", "-w", "--stdin", stdin=text)
        repo.git("update-index", "--add", "--cacheinfo", f"100644,{oid},{name}")
    repo.git("commit", "--quiet", "--message", "files")
    now = repo.git("rev-parse", "HEAD^{tree}")[:12]
    repo.git("notes", "--ref=pivot", "add", "--force", "--message", note.replace(before, now))


@pytest.mark.parametrize(
    "path, file",
    [("out/a", "out/a"), ("out/a", "out/a/b"), ("out/a", "out")],
    ids=["the same path", "a file below it", "a file above it"],
)
@pytest.mark.parametrize("text", ["made", "other"])
def test_an_output_that_the_commit_holds_does_not_hold(repo: Repo, path: str, file: str, text: str) -> None:
    claims_output(repo, path, **{file: text})
    [problem] = problems(repo)
    assert problem.startswith(f"work: Git tracks its output {path}; ")


@pytest.mark.parametrize("text, holds", [("made", True), ("other", False)])
def test_an_output_left_to_git_holds_if_the_commit_has_its_bytes(repo: Repo, text: str, holds: bool) -> None:
    claims_output(repo, "out/a", options=", cache=False", **{"out/a": text})
    if holds:
        repo.pivot("verify").expect(0)
    else:
        assert problems(repo) == ["work: out/a in the commit is not what the stage wrote"]


def test_an_output_next_to_files_of_the_commit_holds(repo: Repo) -> None:
    claims_output(repo, "out/a", **{"out/ab": "x", "out/b/a": "y"})
    repo.pivot("verify").expect(0)


def test_a_pipeline_that_cannot_be_imported_is_not_verified(claimed: Repo) -> None:
    stale_claim(claimed, "pipeline.py", "import pivot", "import pivot, no_such_module")
    [problem] = problems(claimed, "--code")
    assert "cannot be analysed" in problem and "no_such_module" in problem


def test_a_commit_without_a_note_does_not(claimed: Repo) -> None:
    claimed.write("later.txt", "later\n")
    claimed.commit("later")
    [problem] = problems(claimed)
    assert problem.startswith("None: it has no note; `git pivot repro` on a clean checkout writes one")


def test_a_commit_with_the_files_of_one_that_holds_does_too(claimed: Repo) -> None:
    """As a squash merge on a server: a new commit, without a note, of files that are known."""
    claimed.git("commit", "--quiet", "--allow-empty", "--message", "the same files")
    claimed.pivot("verify").expect(0)


def test_a_commit_without_a_pipeline_claims_nothing(claimed: Repo) -> None:
    claimed.git("rm", "--quiet", "pipeline.py")
    claimed.commit("no pipeline")
    assert claimed.pivot("verify").expect(0).out == f"{claimed.head()[:12]}: 0 stages verified\n"
    assert claimed.pivot("verify", "--code").expect(0)


def test_every_commit_of_a_range_is_checked(claimed: Repo) -> None:
    first = claimed.head()
    claimed.write("later.txt", "later\n")
    claimed.commit("later")
    ran(claimed)
    claimed.write("last.txt", "last\n")
    claimed.commit("last")
    told = claimed.pivot("verify", "--json", f"{first}..HEAD", first).expect(1).json()["commits"]
    assert [one["holds"] for one in told] == [True, False, True]


def test_a_revision_that_is_none_is_an_error_of_use(claimed: Repo) -> None:
    assert "there is no commit nowhere" in claimed.pivot("verify", "nowhere").expect(2).err


def test_a_stale_stage_does_not_hold(claimed: Repo) -> None:
    claimed.replace("data.json", "1", "7")
    claimed.commit("other data")
    claimed.pivot("repro", "preprocess").expect(0)
    assert problems(claimed) == ["summarize: it is stale"]


def test_a_note_that_claims_other_outputs_is_found(claimed: Repo) -> None:
    edit_note(claimed, lambda text: re.sub("summary.json=....", "summary.json=0000", text))
    assert problems(claimed) == ["summarize: the note names other outputs than its record"]


DAMAGE = {
    "longer object": ("summary.json=", "summary.json=0000"),
    "shorter object": (r"summary.json=....", "summary.json="),
    "path out of the repository": (" summary.json=", " ../summary.json="),
    "no object": (r"summary.json=\w+", "summary.json"),
    "fingerprint": (r"(?m)^summarize .", "summarize "),
    "result": (r"(?m)^summarize (\w+) .", r"summarize \1 "),
    "tree": (r"(?m)^summarize (\w+) (\w+) .", r"summarize \1 \2 "),
    "beside a sound line": (r"(?m)^(summarize .*)$", r"\1\n\1%"),
    "stage": (r"(?m)^summarize ", "summ%00arize "),
}


@pytest.mark.parametrize("old, new", DAMAGE.values(), ids=DAMAGE)
def test_a_line_that_cannot_be_read_does_not_hold_until_it_is_written_again(claimed: Repo, old: str, new: str) -> None:
    edit_note(claimed, lambda text: re.sub(old, new, text))
    [problem] = problems(claimed)
    assert "line of a note" in problem
    assert problem.startswith("None: " if "%00" in new else "summarize: ")
    assert problems(claimed, "--rerun")[0] == problem
    claimed.pivot("repro").expect(0)
    claimed.pivot("verify").expect(0)


def test_a_note_of_which_nothing_can_be_read_does_not_hold(claimed: Repo) -> None:
    edit_note(claimed, lambda text: re.sub("=....", "=", text))
    assert len(problems(claimed)) == 2


def test_a_remark_of_a_person_in_a_note_is_no_problem(claimed: Repo) -> None:
    edit_note(claimed, lambda text: f"{text}\nlooks good to me\n")
    claimed.pivot("verify").expect(0)


def test_a_record_that_is_not_here_is_found(claimed: Repo) -> None:
    claimed.git("update-ref", "-d", "refs/pivot/runs")
    assert len(problems(claimed)) == 2


def test_bytes_that_are_not_in_the_store_are_found(claimed: Repo) -> None:
    oid = claimed.git("hash-object", "summary.json")
    (claimed.path / ".git/pivot/store.git/objects" / oid[:2] / oid[2:]).unlink()
    assert problems(claimed) == [f"summarize: the store does not have summary.json ({oid[:12]})"]


def test_a_claim_about_other_inputs_is_found(claimed: Repo) -> None:
    """A note of one commit, forged onto a commit whose data differ."""
    note = claimed.git("notes", "--ref=pivot", "show", "HEAD")
    old = claimed.git("rev-parse", "HEAD^{tree}")[:12]
    claimed.replace("data.json", "1", "7")
    claimed.commit("other data")
    forged = note.replace(old, claimed.git("rev-parse", "HEAD^{tree}")[:12])
    claimed.git("notes", "--ref=pivot", "add", "--message", forged)
    assert problems(claimed) == ["preprocess: data.json in the commit is not what the stage read"]


@pytest.mark.parametrize("size", [10, 1 << 20], ids=["small", "large"])
def test_line_endings_and_large_files_and_folders_are_no_difference(repo: Repo, size: int) -> None:
    repo.write(".gitattributes", "*.crlf text eol=crlf\n")
    repo.write("text.crlf", "a\r\nb\r\n")
    repo.write("folder/one.bin", b"x" * size)
    repo.write("folder/below/two.txt", "two\n")
    repo.write("big.bin", b"y" * size)
    repo.write("pipeline.py", MANY_DEPS)
    repo.commit("files of all kinds")
    assert ran(repo) == ["look"]
    repo.pivot("verify").expect(0)


def test_in_a_workflow_each_problem_stands_at_its_stage(claimed: Repo) -> None:
    claimed.replace("data.json", "1", "7")
    claimed.commit("other data")
    claimed.pivot("repro", "preprocess").expect(0)
    said = claimed.pivot("verify", "--format=github").expect(1).out
    line = next(n for n, text in enumerate(claimed.read("pipeline.py").splitlines(), 1) if "def summarize" in text)
    title = f"title=git pivot verify {claimed.head()[:12]}"
    assert said == f"::error file=pipeline.py,line={line},{title}::summarize: it is stale\n"


def test_junit_has_a_case_for_each_stage(claimed: Repo) -> None:
    claimed.git("update-ref", "-d", "refs/pivot/runs")
    claimed.pivot("verify", "--junit", "report.xml").expect(1)
    suite = ElementTree.parse(claimed.path / "report.xml").getroot()[0]
    assert [(case.get("name"), len(case)) for case in suite] == [("preprocess", 1), ("summarize", 1)]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    assert claimed.read("report.xml") == claimed.pivot("verify", "--format=junit").expect(1).out.removesuffix("\n")


def test_without_a_store_the_claims_alone_are_checked(claimed: Repo) -> None:
    shutil.rmtree(claimed.path / ".git/pivot/store.git")
    claimed.pivot("verify").expect(1)
    claimed.pivot("verify", "--no-store").expect(0)


def test_run_again_what_holds_holds(claimed: Repo) -> None:
    before = claimed.git("for-each-ref"), claimed.git("worktree", "list"), claimed.status()
    told = claimed.pivot("verify", "--rerun").expect(0)
    assert "2 ran" in told.err and "2 stages verified" in told.out
    assert (claimed.git("for-each-ref"), claimed.git("worktree", "list"), claimed.status()) == before


@pytest.mark.parametrize(
    "stage, problem",
    [
        ("import time\n    return time.time()", "run again, it wrote another out.json"),
        ("if again():\n        raise RuntimeError\n    return 1", "it fails"),
    ],
    ids=["not deterministic", "fails elsewhere"],
)
def test_run_again_what_does_not_hold_is_named(repo: Repo, stage: str, problem: str) -> None:
    repo.write("pipeline.py", ONE_STAGE.replace("BODY", stage))
    repo.commit("one stage")
    assert ran(repo) == ["work"]
    repo.pivot("verify").expect(0)
    [found] = problems(repo, "--rerun")
    assert found.startswith("work: ") and found.endswith(problem)


def test_a_note_that_leaves_a_stage_out_is_found_by_running_again(claimed: Repo) -> None:
    edit_note(claimed, lambda text: text.split("\n")[0])
    claimed.pivot("verify").expect(0)
    assert problems(claimed, "--rerun") == ["summarize: its pipeline has it, and the note does not"]


def test_a_shallow_clone_is_run_again(claimed: Repo, tmp_path: Path) -> None:
    """As hosted CI checks out: one commit on no branch, and what `git pivot pull` brings."""
    claimed.git("clone", "--quiet", "--depth=1", f"file://{claimed.path}", str(tmp_path / "clone"))
    clone = Repo(tmp_path / "clone")
    clone.git("checkout", "--quiet", "--detach")
    clone.git("branch", "-D", "main")
    clone.pivot("pull").expect(0)
    clone.pivot("verify", "--no-store", "--rerun").expect(0)


ONE_STAGE = """
import pathlib
from typing import Annotated

import pivot

def again():
    return (pathlib.Path(__file__).parent / ".git/objects/info/alternates").exists()

def work() -> Annotated[float, pivot.Out("out.json", pivot.loaders.JSON())]:
    BODY

pipeline = pivot.Pipeline("one")
pipeline.register(work)
"""

MANY_DEPS = """
import pathlib
from typing import Annotated

import pivot

Where = pivot.loaders.PathOnly()

def look(
    text: Annotated[pathlib.Path, pivot.Dep("text.crlf", Where)],
    big: Annotated[pathlib.Path, pivot.Dep("big.bin", Where)],
    folder: Annotated[pathlib.Path, pivot.Dep("folder", Where)],
) -> Annotated[int, pivot.Out("size.json", pivot.loaders.JSON())]:
    return text.stat().st_size + big.stat().st_size

pipeline = pivot.Pipeline("look")
pipeline.register(look)
"""
