"""`git pivot verify`: which claims hold, and which do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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
    assert said == f"{claimed.head()[:12]}: 2 stages verified\n"


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
    edit_note(claimed, lambda text: text.replace("summary.json=", "summary.json=0000"))
    assert "summarize: the note names other outputs than its record" in problems(claimed)


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
