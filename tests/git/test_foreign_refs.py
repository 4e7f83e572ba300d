"""Shared refs that lead to something else than Pivot writes, and metadata that cannot be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pivot.errors import UnreadableObject
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.state.accepted import Accepted
from pivot.state.notes import Notes
from pivot.state.run_cache import RunCache
from tests.support.backends import AUTHOR
from tests.support.repository import Repo
from tests.support.samples import finished

WHAT = {
    "a blob": "HEAD:file",
    "a tree": "HEAD^{tree}",
    "a tag": "v1",
    "a commit of the project": "HEAD",
}
READERS: dict[str, Callable[[LibgitBackend], object]] = {
    "refs/pivot/runs": lambda backend: RunCache(backend).lookup("a" * 32),
    "refs/notes/pivot": lambda backend: Notes(backend).read(backend.ref_get("HEAD") or ""),
    "refs/pivot/accepted": lambda backend: Accepted(backend).all(),
}


def point(repo: Repo, ref: str, what: str) -> LibgitBackend:
    (repo.path / "file").write_text("text\n")
    repo.git("add", "file")
    repo.commit("one")
    repo.git("tag", "-a", "v1", "-m", "one")
    path = repo.path / ".git" / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(repo.git("rev-parse", WHAT[what]) + "\n")
    return LibgitBackend(repo.path / ".git", repo.path / ".git")


@pytest.mark.parametrize("ref", READERS)
@pytest.mark.parametrize("what", WHAT)
def test_a_ref_of_something_else_is_an_error_with_the_next_command(repo: Repo, ref: str, what: str) -> None:
    with pytest.raises(UnreadableObject, match=f"{ref} cannot be used") as raised:
        READERS[ref](point(repo, ref, what))
    assert f"git update-ref -d {ref}" in (raised.value.hint or "")


@pytest.mark.parametrize("what", WHAT)
def test_a_fetched_ref_of_something_else_stops_nobody(repo: Repo, what: str) -> None:
    runs = RunCache(point(repo, "refs/pivot-remotes/origin/runs", what))
    tip = runs.flush([finished(1)], "one", AUTHOR)
    assert [found.record for found in runs.lookup(finished(1).record.fingerprint)] == [finished(1).record]
    assert "refs/pivot-remotes/origin/runs is not used" in runs.refused[0]
    with pytest.raises(UnreadableObject, match="not used"):
        runs.absorb(repo.git("rev-parse", WHAT[what]), AUTHOR)
    assert repo.git("rev-parse", "refs/pivot/runs") == tip


def test_an_info_that_cannot_be_read_is_left_out_and_named(repo: Repo) -> None:
    repo.commit("one")
    runs = RunCache(LibgitBackend(repo.path / ".git", repo.path / ".git"))
    runs.flush([finished(1)], "one", AUTHOR)
    name = finished(1).record.fingerprint, finished(1).record.result
    oid = next(row.split()[2] for row in repo.git("ls-tree", "-r", "refs/pivot/runs").splitlines() if "/info/" in row)
    path = repo.path / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-9])
    again = RunCache(LibgitBackend(repo.path / ".git", repo.path / ".git"))
    assert again.infos(*name) == []
    assert [found.record for found in again.lookup(name[0])] == [finished(1).record]
    assert oid in next(again.unreadable(*name))
    again.flush([finished(1, second=9)], "again", AUTHOR)
    assert [info.finished for info in again.infos(*name)] == [finished(1, second=9).info.finished]
