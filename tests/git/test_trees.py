"""Trees by path, and the laws of their union."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pivot.git.odb.backend import BLOB, TREE, Backend, TreeEntry
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.git.odb.trees import Content, SmallerBlob, Trees, add_files, union
from pivot.state.merge import RunCacheMerge
from tests.support.repository import Repo
from tests.support.samples import info

Files = Mapping[str, bytes]


@pytest.fixture(scope="module")
def shared() -> Iterator[LibgitBackend]:
    """One repository for all examples: objects do not disturb one another."""
    folder = Path(tempfile.mkdtemp())
    git_dir = Repo.init(folder).path / ".git"
    yield LibgitBackend(git_dir, git_dir)
    shutil.rmtree(folder)


def tree_of(trees: Trees, files: Files) -> str | None:
    return add_files(trees, None, files)


def files_of(trees: Trees, tree: str | None, start: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, entry in trees.entries(tree).items():
        if entry.mode == TREE:
            found |= files_of(trees, entry.oid, f"{start}{name}/")
        else:
            found[start + name] = trees.blob(entry.oid)
    return found


def united(backend: Backend, *sides: Files, base: Files | None = None) -> dict[str, bytes]:
    trees = Trees(backend)
    settle = RunCacheMerge(trees)
    old = tree_of(trees, base) if base is not None else None
    first, *others = (tree_of(trees, files) for files in sides)
    for other in others:
        first = union(trees, first, other, old, settle)
    return files_of(trees, first)


def test_files_are_added_replaced_and_removed_by_path(shared: LibgitBackend) -> None:
    trees = Trees(shared)
    first = tree_of(trees, {"a": b"1", "b/c": b"2", "b/d": b"3"})
    changed: dict[str, Content] = {"a": b"9", "b/c": None, "x/y/z": b"4"}
    assert files_of(trees, add_files(trees, first, changed)) == {"a": b"9", "b/d": b"3", "x/y/z": b"4"}


def test_a_folder_that_loses_its_last_file_goes(shared: LibgitBackend) -> None:
    trees = Trees(shared)
    first = tree_of(trees, {"a": b"1", "b/c": b"2"})
    assert add_files(trees, first, {"b/c": None}) == tree_of(trees, {"a": b"1"})
    assert add_files(trees, first, {"b": None, "a": None}) is None


def test_a_blob_can_be_given_by_its_id(shared: LibgitBackend) -> None:
    trees = Trees(shared)
    oid = shared.write_blobs([b"here"])[0]
    assert files_of(trees, add_files(trees, None, {"a/b": oid})) == {"a/b": b"here"}


def test_saved_trees_are_what_git_reads(repo: Repo) -> None:
    backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
    trees = Trees(backend)
    tree = tree_of(trees, {"a": b"1", "a.b/c": b"2", "a0": b"3"})
    trees.save()
    assert repo.git("ls-tree", "-r", "--name-only", str(tree)).split("\n") == ["a", "a.b/c", "a0"]
    repo.git("fsck", "--strict")


def test_names_that_git_does_not_allow_are_not_read(repo: Repo) -> None:
    backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
    blob = backend.write_blobs([b"x"])[0]
    entry = b"100644 %s\0" + bytes.fromhex(blob)
    tree = backend.write([("tree", entry % b".." + entry % b".git" + entry % b"ok")])[0]
    assert list(Trees(backend).entries(tree)) == ["ok"]


def test_only_touched_folders_are_read(shared: LibgitBackend) -> None:
    trees = Trees(shared)
    first = tree_of(trees, {"big/a": b"1", "small/b": b"2"})
    trees.save()
    fresh = Trees(shared)
    add_files(fresh, first, {"small/c": b"3"})
    assert fresh.at(first, "big") is not None
    assert set(fresh._known) >= {first}
    assert trees.entries(first)["big"].oid not in fresh._known


# Paths of the run cache, few enough that histories meet in them; contents small enough to be equal often.
PATHS = st.sampled_from(
    [f"runs/ab/{name}.{result}/record" for name in "xy" for result in "12"]
    + [f"code/ab/{name}" for name in "pq"]
    + [f"reach/cd/{name}" for name in "rs"]
    + ["record", "runs/record", "runs/ab/record", "runs/ab/y/info/record", "reach/x", "other"]  # by a stranger
)
CONTENTS = st.sampled_from([b"m.a\n", b"m.b\n", b"m.a\nm.b\n", b"m.c\n"])
INFOS = st.tuples(st.just("runs/ab/x.1/info/"), st.integers(0, 9)).map(lambda pair: pair[0] + str(pair[1]))
TREES = st.builds(
    lambda files, infos: files | {path: info(second=int(path[-1])).to_bytes() for path in infos},
    st.dictionaries(PATHS, CONTENTS, max_size=6),
    st.sets(INFOS, max_size=5),
)


@given(TREES, TREES)
@settings(max_examples=150)
def test_union_does_not_mind_the_order(shared: LibgitBackend, one: Files, two: Files) -> None:
    assert united(shared, one, two) == united(shared, two, one)


@given(TREES, TREES, TREES)
@settings(max_examples=150)
def test_union_does_not_mind_the_grouping(shared: LibgitBackend, one: Files, two: Files, three: Files) -> None:
    assert united(shared, united(shared, one, two), three) == united(shared, one, united(shared, two, three))


@given(TREES, TREES)
@settings(max_examples=150)
def test_union_with_what_is_in_it_changes_nothing(shared: LibgitBackend, one: Files, two: Files) -> None:
    both = united(shared, one, two)
    assert united(shared, both, one) == united(shared, both, both) == both


@given(TREES, TREES)
@settings(max_examples=150)
def test_union_loses_no_record(shared: LibgitBackend, one: Files, two: Files) -> None:
    assert {path for path in {**one, **two} if "/info/" not in path} <= united(shared, one, two).keys()


@given(TREES, TREES, TREES)
@settings(max_examples=150)
def test_a_three_way_union_does_not_mind_the_order(shared: LibgitBackend, base: Files, one: Files, two: Files) -> None:
    assert united(shared, one, two, base=base) == united(shared, two, one, base=base)


@given(TREES, TREES)
@settings(max_examples=150)
def test_one_side_alone_takes_all_of_its_changes(shared: LibgitBackend, base: Files, one: Files) -> None:
    assert united(shared, base, one, base=base) == united(shared, one)


RECORD = "runs/ab/x.1"


def test_what_one_side_removed_stays_removed(shared: LibgitBackend) -> None:
    base = {f"{RECORD}/record": b"r", "code/ab/p": b"c"}
    theirs = {**base, "code/ab/q": b"new"}
    assert united(shared, {"code/ab/p": b"c"}, theirs, base=base) == {"code/ab/p": b"c", "code/ab/q": b"new"}


def test_a_record_that_ran_again_meanwhile_comes_back_whole(shared: LibgitBackend) -> None:
    base = {f"{RECORD}/record": b"r", f"{RECORD}/info/0": info().to_bytes()}
    theirs = {**base, f"{RECORD}/info/1": info(second=1).to_bytes()}
    assert united(shared, {"code/ab/p": b"c"}, theirs, base=base) == {"code/ab/p": b"c", **theirs}


def test_reach_lists_become_one_set(shared: LibgitBackend) -> None:
    one, two = {"reach/ab/x": b"a\nc\n"}, {"reach/ab/x": b"b\nc\n"}
    assert united(shared, one, two) == {"reach/ab/x": b"a\nb\nc\n"}


def test_of_many_infos_the_newest_five_stay(shared: LibgitBackend) -> None:
    sides = [{f"{RECORD}/info/{number}": info(second=number).to_bytes()} for number in range(9)]
    assert sorted(united(shared, *sides)) == [f"{RECORD}/info/{number}" for number in range(4, 9)]


def test_a_damaged_info_is_older_than_every_other(shared: LibgitBackend) -> None:
    sides = [{f"{RECORD}/info/{number}": info(second=number).to_bytes()} for number in range(5)]
    assert f"{RECORD}/info/bad" not in united(shared, {f"{RECORD}/info/bad": b"{"}, *sides)


def test_a_folder_beats_a_file_of_its_name(shared: LibgitBackend) -> None:
    for sides in (({"a": b"f"}, {"a/b": b"g"}), ({"a/b": b"g"}, {"a": b"f"})):
        assert united(shared, *sides) == {"a/b": b"g"}


def test_of_two_blobs_the_smaller_id_stays_and_the_mode_decides_a_tie() -> None:
    plain, other = TreeEntry("a", BLOB, "1" * 40), TreeEntry("a", 0o100755, "1" * 40)
    assert SmallerBlob().blob("a", other, plain) == SmallerBlob().blob("a", plain, other) == plain
