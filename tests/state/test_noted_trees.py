"""Finding the note of a commit with the same files: what is read for it, with few notes and with many."""

from __future__ import annotations

import pytest

from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.state.notes import NoteLine, Notes
from tests.support.backends import AUTHOR
from tests.support.repository import Repo

MANY = 400


class Counting(LibgitBackend):
    reads = 0

    def read(self, oid: str, most: int | None = None) -> tuple[str, bytes]:
        type(self).reads += 1
        return super().read(oid, most)


@pytest.fixture
def backend(repo: Repo) -> Counting:
    (repo.path / ".git/pivot/cache").mkdir(parents=True)
    return Counting(repo.path / ".git", repo.path / ".git")


def note_many(backend: Counting, count: int) -> list[str]:
    """Commits of one file each, with notes."""
    commits = []
    for number in range(count):
        tree = add(backend, number)
        commits.append(backend.write_commit(tree, [], f"commit {number}", AUTHOR))
    trees = {commit: backend.read_commit(commit).tree for commit in commits}
    lines = {commit: [NoteLine("train", "stale", tree[:12])] for commit, tree in trees.items()}
    Notes(backend).write(lines, "many", AUTHOR)
    return commits


def add(backend: Counting, number: int) -> str:
    from pivot.git.odb.backend import BLOB, TreeEntry

    return backend.write_tree([TreeEntry("file", BLOB, backend.write_blobs([b"%d" % number])[0])])


def amended(backend: Counting, commit: str) -> str:
    return backend.write_commit(backend.read_commit(commit).tree, [], "another message", AUTHOR)


def reads(backend: Counting, commit: str) -> tuple[int, str]:
    Counting.reads = 0
    noted, lines = Notes(backend).find(commit)
    return Counting.reads, noted if lines else ""


def test_an_amended_commit_finds_the_note_of_its_files_without_reading_every_commit(backend: Counting) -> None:
    commits = note_many(backend, MANY)
    assert reads(backend, amended(backend, commits[7]))[1] == commits[7]
    count, noted = reads(backend, amended(backend, commits[8]))
    assert (noted, count < 20) == (commits[8], True)
    stranger = backend.write_commit(add(backend, -1), [], "nobody's files", AUTHOR)
    count, noted = reads(backend, stranger)
    assert (noted, count < 20) == ("", True)


def test_one_more_note_is_one_more_folder_to_read(backend: Counting) -> None:
    commits = note_many(backend, MANY)
    reads(backend, amended(backend, commits[0]))
    extra = backend.write_commit(add(backend, MANY), [], "one more", AUTHOR)
    Notes(backend).write({extra: [NoteLine("train", "stale", backend.read_commit(extra).tree[:12])]}, "one", AUTHOR)
    count, noted = reads(backend, amended(backend, extra))
    assert (noted, count < 20) == (extra, True)


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"pivot noted 1 " + b"0" * 32 + b"\nd " + b"a" * 40])
def test_a_damaged_index_is_made_again(backend: Counting, repo: Repo, damage: bytes) -> None:
    commits = note_many(backend, 5)
    reads(backend, amended(backend, commits[0]))
    (repo.path / ".git/pivot/cache/noted").write_bytes(damage)
    assert reads(backend, amended(backend, commits[4]))[1] == commits[4]


def test_a_note_of_a_commit_that_comes_later_is_found_then(backend: Counting, repo: Repo) -> None:
    commits = note_many(backend, 3)
    path = repo.path / ".git/objects" / commits[1][:2] / commits[1][2:]
    kept = path.read_bytes()
    new = amended(backend, commits[1])
    path.unlink()
    assert reads(backend, new)[1] == ""
    path.write_bytes(kept)
    assert reads(backend, new)[1] == commits[1]
