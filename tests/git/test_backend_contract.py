"""What every implementation of `Backend` guarantees, whatever opens the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pivot.errors import GitError, MissingObject, ProjectError, RefMoved, UnreadableObject
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE, Author, Backend, TreeEntry
from pivot.git.odb.open import open_backend, open_reader
from pivot.git.odb.process_backend import ProgramBackend
from tests.support.backends import WAYS
from tests.support.repository import Repo

REF = "refs/pivot/runs"

# One process: put `count` numbered commits on a ref by compare-and-swap, whoever else does the same.
WRITER = """
import sys
from pathlib import Path
from pivot.errors import RefMoved
from pivot.git.odb.backend import BLOB, Author, TreeEntry
from tests.support.backends import WAYS
way, git_dir, name, count = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
backend = WAYS[way][1](git_dir, git_dir)
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
tree = backend.write_tree([])
for number in range(count):
    while True:
        tip = backend.ref_get("refs/pivot/runs")
        commit = backend.write_commit(tree, [tip] if tip else [], f"{name} {number}", Author("a", "b@c", number))
        try:
            backend.ref_cas("refs/pivot/runs", commit, tip, "race")
            break
        except RefMoved:
            pass
"""


def commit_chain(backend: Backend, length: int) -> list[str]:
    tree = backend.write_tree([])
    commits: list[str] = []
    for number in range(length):
        commits.append(backend.write_commit(tree, commits[-1:], f"commit {number}", Author("a", "b@c", number)))
    return commits


def messages(backend: Backend, tip: str | None) -> Iterator[str]:
    while tip:
        commit = backend.read_commit(tip)
        yield commit.message.strip()
        tip = commit.parents[0] if commit.parents else None


@pytest.mark.parametrize("count", [1, 3, 200], ids=["one", "loose", "packed"])
def test_blobs_come_back_as_written_under_the_ids_that_git_gives(backend: Backend, made: Repo, count: int) -> None:
    contents = [b"", *(b"text %d\n\0\xff" % number for number in range(count - 1))]
    oids = backend.write_blobs(contents)
    assert [backend.read_blob(oid) for oid in oids] == contents
    assert oids[0] == made.git("hash-object", "--stdin", stdin="")
    made.git("fsck", "--strict")


def test_equal_blobs_in_one_call_have_one_id(backend: Backend) -> None:
    assert len(set(backend.write_blobs([b"same"] * 100))) == 1


def test_nothing_to_write_is_no_error(backend: Backend) -> None:
    assert backend.write_blobs([]) == []


def test_a_large_object_survives_both_ways(backend: Backend) -> None:
    content = bytes(range(256)) * 8192
    assert backend.read_blob(backend.write_blobs([content])[0]) == content


def test_a_tree_is_sorted_as_git_sorts_it(backend: Backend, made: Repo) -> None:
    blob, empty = backend.write_blobs([b"x"])[0], backend.write_tree([])
    names = {"a": TREE, "a.b": BLOB, "a0": EXECUTABLE, "a-b": SYMLINK, "é": BLOB, "A": BLOB}
    entries = [TreeEntry(name, mode, empty if mode == TREE else blob) for name, mode in names.items()]
    tree = backend.write_tree(entries)
    listed = made.git("ls-tree", "-z", tree).rstrip("\0").split("\0")
    assert [line.split("\t")[1] for line in listed] == [entry.name for entry in backend.read_tree(tree)]
    assert set(backend.read_tree(tree)) == set(entries)
    made.git("fsck", "--strict")


@pytest.mark.parametrize("name", ["", ".", "..", ".git", ".GIT", "a/b", "a\0b"])
def test_a_name_that_git_refuses_is_refused(backend: Backend, name: str) -> None:
    with pytest.raises(GitError, match="may not stand in a tree"):
        backend.write_tree([TreeEntry(name, BLOB, backend.write_blobs([b""])[0])])


def test_a_file_and_a_folder_of_one_name_are_refused(backend: Backend) -> None:
    blob, tree = backend.write_blobs([b""])[0], backend.write_tree([])
    with pytest.raises(GitError, match="one name"):
        backend.write_tree([TreeEntry("a", BLOB, blob), TreeEntry("a", TREE, tree)])


def test_the_empty_tree_can_be_read_in_an_empty_repository(backend: Backend, made: Repo) -> None:
    assert backend.read_tree(made.git("hash-object", "-t", "tree", "/dev/null")) == []


def test_a_missing_object_is_said_to_be_missing(backend: Backend) -> None:
    absent = "1" * len(backend.write_tree([]))
    for read in (backend.read_blob, backend.read_tree, backend.parents_of):
        with pytest.raises(MissingObject):
            read(absent)


@pytest.mark.parametrize("oid", ["", "HEAD", "../x", "a\nb"])
def test_what_is_no_object_id_is_refused(backend: Backend, oid: str) -> None:
    with pytest.raises(GitError):
        backend.read_blob(oid)


def test_an_object_of_another_kind_is_refused(backend: Backend) -> None:
    with pytest.raises(GitError, match="is a tree, not a blob"):
        backend.read_blob(backend.write_tree([TreeEntry("a", BLOB, backend.write_blobs([b""])[0])]))


def test_reading_goes_on_after_a_miss(backend: Backend) -> None:
    oid = backend.write_blobs([b"here"])[0]
    with pytest.raises(MissingObject):
        backend.read_blob("1" * len(oid))
    assert backend.read_blob(oid) == b"here"


def test_what_git_writes_later_is_seen(backend: Backend, made: Repo) -> None:
    backend.read_blob(backend.write_blobs([b"first"])[0])
    oid = made.git("hash-object", "-w", "--stdin", stdin="later")
    assert backend.read_blob(oid) == b"later"
    made.commit("one")
    made.git("gc", "--quiet", "--prune=now")
    assert backend.read_commit(made.head()).message == "one\n"


def test_only_objects_that_are_here_are_said_to_be(backend: Backend) -> None:
    oids = backend.write_blobs([b"a", b"b"])
    assert backend.has([*oids, "1" * len(oids[0])]) == set(oids)
    assert backend.has([]) == set()


def test_a_commit_has_the_id_that_git_gives_it(backend: Backend, made: Repo, author: Author) -> None:
    tree = backend.write_tree([])
    zone = {"GIT_AUTHOR_DATE": "1700000000 +0100", "GIT_COMMITTER_DATE": "1700000000 +0100"}
    expected = made.git("commit-tree", tree, "-m", "subject\n\nbodyé", env=zone)
    assert backend.write_commit(tree, [], "subject\n\nbodyé", author) == expected


def test_a_name_cannot_forge_a_line_of_a_commit(backend: Backend, made: Repo) -> None:
    tree = backend.write_tree([])
    commit = backend.write_commit(tree, [], "m", Author("a\ncommitter <evil>", "x>y\n", 5))
    assert made.git("log", "-1", "--format=%an|%ae|%cn", commit) == "acommitter evil|xy|acommitter evil"


def test_a_ref_is_made_moved_and_deleted(backend: Backend, made: Repo) -> None:
    first, second = commit_chain(backend, 2)
    assert backend.ref_get(REF) is None
    backend.ref_cas(REF, first, None, "make")
    backend.ref_cas(REF, second, first, "move")
    assert backend.ref_get(REF) == second == made.git("rev-parse", REF)
    backend.ref_cas(REF, None, second, "delete")
    assert backend.ref_get(REF) is None


def test_a_ref_that_is_elsewhere_does_not_move(backend: Backend) -> None:
    first, second, third = commit_chain(backend, 3)
    with pytest.raises(RefMoved):
        backend.ref_cas(REF, second, first, "it does not exist")
    backend.ref_cas(REF, first, None, "make")
    for new, old in ((second, third), (second, None), (None, third)):
        with pytest.raises(RefMoved):
            backend.ref_cas(REF, new, old, "it is elsewhere")
    assert backend.ref_get(REF) == first


def test_a_packed_ref_is_moved_too(backend: Backend, made: Repo) -> None:
    first, second = commit_chain(backend, 2)
    backend.ref_cas(REF, first, None, "make")
    made.git("pack-refs", "--all")
    assert backend.ref_get(REF) == first
    backend.ref_cas(REF, second, first, "move")
    assert backend.refs("refs/pivot/") == {REF: second}


def test_a_held_lock_counts_as_moved_since_another_try_may_do(backend: Backend, made: Repo) -> None:
    first, second = commit_chain(backend, 2)
    backend.ref_cas(REF, first, None, "make")
    files = (made.path / ".git/refs/pivot/runs").exists()
    lock = made.path / ".git" / (f"{REF}.lock" if files else "reftable/tables.list.lock")
    lock.touch()
    with pytest.raises(RefMoved):
        backend.ref_cas(REF, second, first, "move")
    lock.unlink()
    backend.ref_cas(REF, second, first, "move")


def test_a_ref_that_can_never_be_made_is_no_reason_to_try_again(backend: Backend) -> None:
    first, second = commit_chain(backend, 2)
    backend.ref_cas(REF, first, None, "make")
    with pytest.raises(GitError) as raised:
        backend.ref_cas(f"{REF}/below", second, None, "a ref below a ref")
    assert not isinstance(raised.value, RefMoved)


def test_refs_are_listed_by_prefix_loose_or_packed(backend: Backend, made: Repo) -> None:
    first, second = commit_chain(backend, 2)
    made.git("update-ref", "refs/pivot-remotes/a/runs", first)
    made.git("pack-refs", "--all")
    made.git("update-ref", "refs/pivot-remotes/a/b/runs", second)
    made.git("update-ref", "refs/pivot/runs", first)
    made.git("update-ref", "refs/pivot-remotes/a/runs", second)
    found = {"refs/pivot-remotes/a/b/runs": second, "refs/pivot-remotes/a/runs": second}
    assert backend.refs("refs/pivot-remotes/") == found
    assert backend.refs("refs/nothing/") == {}


def test_revisions_are_resolved_in_the_forms_that_git_knows(backend: Backend, made: Repo) -> None:
    first, second = made.commit("one"), made.commit("two words")
    made.git("tag", "-a", "v1", "-m", "tagged", first)
    named = {"HEAD": second, "HEAD~1": first, "main": second, "v1": first, second[:10]: second, ":/two words": second}
    assert {revision: backend.resolve(revision) for revision in named} == named
    assert backend.tree_of("v1") == made.git("rev-parse", "v1^{tree}")
    assert backend.tree_of(made.git("rev-parse", "HEAD^{tree}")) == made.git("rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize("revision", ["", "nope", "--all", "HEAD^5", "HEAD\nHEAD", "main..HEAD"])
def test_what_names_no_commit_gives_none(backend: Backend, made: Repo, revision: str) -> None:
    made.commit("one")
    assert backend.resolve(revision) is None
    assert backend.tree_of(revision) is None


def test_merge_base_is_found_and_may_not_exist(backend: Backend) -> None:
    first, second = commit_chain(backend, 2)
    tree = backend.write_tree([])
    other = backend.write_commit(tree, [first], "other", Author("a", "b@c", 7))
    stranger = backend.write_commit(tree, [], "stranger", Author("a", "b@c", 8))
    assert backend.merge_base(second, other) == first
    assert backend.merge_base(first, second) == first
    assert backend.merge_base(second, stranger) is None


def test_writing_needs_no_name_for_the_user(nobody: None, backend: Backend, author: Author) -> None:
    commit = backend.write_commit(backend.write_tree([]), [], "m", author)
    backend.ref_cas(REF, commit, None, "make")
    backend.ref_cas(REF, backend.write_commit(backend.write_tree([]), [commit], "n", author), commit, "move")


def test_a_linked_work_tree_has_its_own_head_and_shared_refs(backend: Backend, made: Repo) -> None:
    first = made.commit("one")
    made.git("worktree", "add", "-q", "--detach", "../linked")
    made.commit("two")
    linked = type(backend)(made.path / ".git/worktrees/linked", made.path / ".git")  # type: ignore[call-arg]
    linked.ref_cas(REF, first, None, "make")
    assert linked.resolve("HEAD") == linked.ref_get("HEAD") == first
    assert backend.ref_get(REF) == first
    linked.close()


@pytest.mark.slow
def test_six_processes_lose_no_update(way: str, backend: Backend, made: Repo) -> None:
    names, count = "abcdef", 8
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, way, str(made.path / ".git"), name, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for name in names
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.communicate(b"go\n", timeout=60)
    assert [writer.returncode for writer in writers] == [0] * len(names)
    expected = [f"{name} {number}" for name in names for number in range(count)]
    assert sorted(messages(backend, backend.ref_get(REF))) == sorted(expected)


def test_what_libgit2_refuses_is_opened_by_git(repo: Repo) -> None:
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    git_dir = repo.path / ".git"
    opened = open_backend(git_dir, git_dir)
    assert type(opened).__name__ == "ProgramBackend"
    assert opened.read_blob(opened.write_blobs([b"x"])[0]) == b"x"
    opened.close()


@pytest.mark.skipif("program-reftable" in WAYS, reason="the contract above holds reftable")
def test_reftable_is_told_by_its_folder(repo: Repo) -> None:
    (repo.path / ".git/reftable").mkdir()
    assert type(open_backend(repo.path / ".git", repo.path / ".git")).__name__ == "ProgramBackend"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_foreign_owner_is_told_in_gits_own_sentence(repo: Repo) -> None:
    commit = repo.commit("one")
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 12345, 12345)
    git_dir = repo.path / ".git"
    with pytest.raises(ProjectError, match="dubious ownership"):
        open_backend(git_dir, git_dir)
    repo.git("config", "--global", "safe.directory", str(repo.path))
    opened = open_backend(git_dir, git_dir)
    assert opened.resolve("HEAD") == commit
    opened.close()


def test_a_repository_that_is_gone_is_told_by_the_reader_too(repo: Repo) -> None:
    commit = repo.commit("one")
    repo.git("repack", "-a", "-d", "-q")
    (repo.path / ".git/HEAD").unlink()
    with pytest.raises(ProjectError, match="no Git repository"):
        open_reader(repo.path / ".git", repo.path / ".git").read_commit(commit)


def test_a_reader_that_was_killed_is_started_again(repo: Repo) -> None:
    commit = repo.commit("one")
    repo.git("repack", "-a", "-d", "-q")
    reader = ProgramBackend(repo.path / ".git", repo.path / ".git")
    assert reader.read_commit(commit).message == "one\n"
    assert reader._reader is not None
    reader._reader.kill()
    reader._reader.wait()
    assert reader.read_commit(commit).message == "one\n"
    reader.close()


def test_opening_a_reader_starts_nothing_and_imports_no_libgit2() -> None:
    script = (
        "import sys, pivot.git.odb.open, pivot.state.run_cache, pivot.state.notes\nsys.exit('pygit2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_within_a_receive_only_git_is_used(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(repo.path / ".git/objects/incoming"))
    git_dir = repo.path / ".git"
    assert type(open_backend(git_dir, git_dir)).__name__ == "ProgramBackend"


def loose_file(made: Repo, oid: str) -> Path:
    path = made.path / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    return path


def flip_bit(data: bytes) -> bytes:
    half = len(data) // 2
    return data[:half] + bytes([data[half] ^ 16]) + data[half + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "cut off at the end": lambda data: data[:-2],
    "empty": lambda data: b"",
    "a flipped bit": flip_bit,
    "no header": lambda data: zlib.compress(b"what is this"),
    "another size": lambda data: zlib.compress(b"blob 7\0four"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("kind", ["blob", "tree", "commit"])
def test_a_damaged_loose_object_is_an_error_and_not_a_hang(
    backend: Backend, made: Repo, kind: str, damage: Callable[[bytes], bytes]
) -> None:
    blob = backend.write_blobs([bytes(range(256)) * 8])[0]
    tree = backend.write_tree([TreeEntry("file", BLOB, blob)])
    commit = backend.write_commit(tree, [], "one", Author("a", "b@c", 0))
    oid = {"blob": blob, "tree": tree, "commit": commit}[kind]
    path = loose_file(made, oid)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableObject, match=oid):
        backend.read_bytes(kind, oid)
    assert backend.resolve(oid) in (None, oid)
    assert backend.read_blob(backend.write_blobs([b"others can be read"])[0]) == b"others can be read"


def test_a_damaged_loose_object_is_read_from_a_pack(backend: Backend, made: Repo) -> None:
    oid = backend.write_blobs([b"text " * 100])[0]
    loose = loose_file(made, oid)
    kept = loose.read_bytes()
    commit = backend.write_commit(backend.write_tree([TreeEntry("file", BLOB, oid)]), [], "one", Author("a", "b@c", 0))
    made.git("update-ref", "refs/heads/kept", commit)
    made.git("repack", "-a", "-d", "-q")
    loose.parent.mkdir(exist_ok=True)
    loose.write_bytes(kept[:20])
    assert backend.read_blob(oid) == b"text " * 100


def test_a_commit_that_was_cut_off_is_no_hang_where_its_history_is_asked_for(backend: Backend, made: Repo) -> None:
    one, two, three = commit_chain(backend, 3)
    path = loose_file(made, two)
    path.write_bytes(path.read_bytes()[:30])
    assert backend.merge_base(one, three) is None
    assert backend.resolve(f"{three}~2") is None
    assert backend.tree_of(f"{two}:") is None


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_more_bytes_than_allowed_are_refused_by_the_header(backend: Backend, packed: bool) -> None:
    zeros = bytes(3 << 20)
    oid = backend.write_blobs([zeros, *(b"%d" % number for number in range(100 if packed else 0))])[0]
    with pytest.raises(UnreadableObject, match="3,145,728 bytes"):
        backend.read_blob(oid, 1 << 20)
    assert backend.read_blob(oid, 3 << 20) == zeros


def test_loose_objects_of_an_alternate_are_read_to_their_end(
    way: str, backend: Backend, made: Repo, tmp_path: Path
) -> None:
    other = Repo.init(tmp_path / "other", f"--object-format={backend.algorithm}")
    oid = other.git("hash-object", "-w", "--stdin", stdin="from there " * 50).strip()
    (made.path / ".git/objects/info/alternates").write_text(f"# a comment\n{other.path}/.git/objects\n")
    seen = WAYS[way][1](backend.git_dir, backend.common_dir)
    assert seen.read_blob(oid) == b"from there " * 50
    path = loose_file(other, oid)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UnreadableObject):
        seen.read_blob(oid)
    seen.close()
