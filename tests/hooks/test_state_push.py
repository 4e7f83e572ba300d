"""A server's hooks take results that add to what is there, and nothing else at Pivot's own refs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks.test_server import said_by
from tests.support.repository import Repo

RUNS, NOTES = "refs/pivot/runs", "refs/notes/pivot"
EMPTY = "0" * 40


@pytest.fixture
def server(branches: Repo, tmp_path: Path) -> Repo:
    """A server that asks for no check, and has the results of the clone."""
    made = Repo.init(tmp_path / "server.git", "--bare")
    made.pivot("hooks", "install", "--server").expect(0)
    branches.git("remote", "add", "origin", str(made.path))
    branches.pivot("push").expect(0)
    return made


def is_refused(repo: Repo, server: Repo, refspec: str, why: str) -> None:
    """The push changes nothing on the server, and says why."""
    before = server.git("for-each-ref")
    told = said_by(repo, "--no-verify", "origin", refspec, code=1)
    assert why in told[0] and told[-1] == "the push is refused"
    assert server.git("for-each-ref") == before


def with_file(repo: Repo, ref: str, path: str, data: str, mode: str = "100644") -> str:
    """A commit on top of a ref whose tree has one more file."""
    oid = repo.git("hash-object", "-w", "--stdin", stdin=data)
    index = {"GIT_INDEX_FILE": str(repo.path / ".git/planted")}
    repo.git("read-tree", ref, env=index)
    repo.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}", env=index)
    return repo.git("commit-tree", "-p", ref, "-m", "planted", repo.git("write-tree", env=index))


@pytest.mark.parametrize("ref", [RUNS, NOTES])
def test_results_are_not_deleted(branches: Repo, server: Repo, ref: str) -> None:
    is_refused(branches, server, f":{ref}", "results are not deleted by a push")


@pytest.mark.parametrize("ref", [RUNS, NOTES])
def test_results_are_not_replaced(branches: Repo, server: Repo, ref: str) -> None:
    other = branches.git("commit-tree", "-m", "of somebody else", f"{ref}^{{tree}}")
    is_refused(branches, server, f"+{other}:{ref}", "would replace results of others")


def test_an_epoch_that_loses_results_is_no_way_around(branches: Repo, server: Repo) -> None:
    tip = branches.git("rev-parse", RUNS)
    epoch = branches.git("hash-object", "-w", "--stdin", stdin=f"pivot epoch 1\n{tip[:12]}\n")
    tree = branches.git("mktree", stdin=f"100644 blob {epoch}\tepoch\n")
    made = branches.git("commit-tree", "-m", "nothing is left", tree)
    is_refused(branches, server, f"+{made}:{RUNS}", "would replace results of others")


def test_a_history_that_was_shortened_is_taken(branches: Repo, server: Repo) -> None:
    before = server.git("rev-parse", RUNS)
    branches.pivot("gc", "--rewrite", "origin").expect(0)
    assert server.git("rev-list", "--count", RUNS) == "1" and server.git("rev-parse", RUNS) != before


@pytest.mark.parametrize(
    "ref, file, why",
    [
        (RUNS, ("pipeline.py", "x", "100644"), "nothing that Pivot writes there"),
        (RUNS, (f"runs/ab/{'0' * 30}.{'0' * 12}/record", "x", "100644"), "this is not a record"),
        (RUNS, (f"runs/ab/{'0' * 30}.{'0' * 12}/info/{'0' * 12}", "x", "100755"), "nothing that Pivot writes there"),
        (RUNS, (f"runs/ab/{'0' * 30}.{'0' * 12}/info/{'0' * 12}", "x", "120000"), "nothing that Pivot writes there"),
        (RUNS, ("x\n::error::y", "x", "100644"), r"x\n::error::y is nothing"),
        (NOTES, (f"ab/{'0' * 38}", "x" * (9 << 20), "100644"), "has 9437184 bytes"),
        (NOTES, ("hook.sh", "x", "100755"), "nothing that Pivot writes there"),
    ],
)
def test_what_pivot_does_not_write_is_refused(
    branches: Repo, server: Repo, ref: str, file: tuple[str, str, str], why: str
) -> None:
    planted = with_file(branches, ref, *file)
    is_refused(branches, server, f"{planted}:{ref}", why)
    # Taken out again by a later commit, it would come in all the same.
    on_top = branches.git("commit-tree", "-p", planted, "-m", "hidden", f"{ref}^{{tree}}")
    is_refused(branches, server, f"{on_top}:{ref}", why)


@pytest.mark.parametrize(
    "ref", ["refs/pivot/other", "refs/pivot-ci/runs", "refs/Pivot/runs", "refs/notes/Pivot", "refs/pivot-remotes/x/y"]
)
def test_a_ref_that_the_server_does_not_know_is_refused(branches: Repo, server: Repo, ref: str) -> None:
    is_refused(branches, server, f"{RUNS}:{ref}", "")


def test_a_ref_of_results_leads_to_a_commit(branches: Repo, server: Repo) -> None:
    is_refused(branches, server, f"+{RUNS}^{{tree}}:{RUNS}", "it is a tree, not a commit")
