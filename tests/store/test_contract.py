"""What every store does, however it links and wherever it stands."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pivot.errors import InputError, MissingObject, StoreError, UnsafePath
from pivot.git.odb.backend import BLOB, EXECUTABLE, SYMLINK, TREE
from pivot.store import Object, StatCache, Store
from pivot.store.odb.objects import object_id
from tests.store.shelf import BIG, POINTER_LOOKALIKE, Shelf, Tree, age, git, many, snapshot, write

ODD: Tree = {
    "new\nline": b"1",
    "-dash": b"2",
    " blank ": b"3",
    "é" * 120: b"4",
    "x" * 255: b"5",
    "README": b"6",
    "readme": b"7",
    'quote"back\\slash': b"8",
    "git": b"9",
    ".gitignore": b"10",
}

CONTENTS: dict[str, bytes | Tree] = {
    "empty file": b"",
    "small file": b"hello\n",
    "large file": BIG,
    "file that looks like a pointer": POINTER_LOOKALIKE,
    "empty directory": {},
    "directory": {"a": b"1", "b": {"c": b"2", "empty": {}}, "link": "a", "dangling": "no/where"},
    "large files in a directory": {"one": BIG, "two": BIG + b"2", "small": b"s"},
    "as many files as go into a pack": many(130),
    "odd names": ODD,
    "names that sort in Git's own order": {"a": {"x": b"1"}, "a.b": b"2", "a0": b"3", "a-": {"y": b"4"}},
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_what_is_put_comes_back_the_same(shelf: Shelf, content: bytes | Tree) -> None:
    path = shelf.make("out", content)
    held = shelf.put(path)
    shelf.assert_whole(held)
    path.rename(shelf.work / "gone")
    assert shelf.restore(held, path) == []
    shelf.assert_is(path, held)
    assert snapshot(path) == content
    shelf.assert_nothing_left_over()


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_identify_gives_the_id_of_put_and_stores_nothing(plain: Shelf, content: bytes | Tree) -> None:
    path = plain.make("out", content)
    found = plain.store.identify(path, plain.stats)
    assert not plain.store.path.exists()
    assert plain.put(path) == found


def test_ids_are_those_of_git(plain: Shelf) -> None:
    path = plain.make("out", {"a": b"1", "b": {"c": b"2"}, "run": b"#!", "link": "a"})
    (path / "run").chmod(0o755)
    held = plain.put(path)
    git("init", "-q", "--object-format=sha1", str(plain.work))
    git("-C", str(plain.work), "add", "out")
    tree = git("-C", str(plain.work), "write-tree", "--prefix=out/").stdout.strip()
    assert held == Object(tree, TREE, 1 + 1 + 2 + 1)


def test_a_large_file_is_a_pointer_to_its_raw_bytes(shelf: Shelf) -> None:
    held = shelf.put(shelf.make("out", BIG))
    name = shelf.store.read(held.id).split()[5].decode()
    assert held.size == len(BIG)
    assert (shelf.store.path / "large" / name[:2] / name[2:]).read_bytes() == BIG
    assert shelf.store.large_path(held.id) == shelf.store.path / "large" / name[:2] / name[2:]


def test_executable_bits_come_back(shelf: Shelf) -> None:
    path = shelf.make("out", {"small": b"#!", "large": BIG, "plain": BIG})
    (path / "small").chmod(0o755)
    (path / "large").chmod(0o755)
    held = shelf.put(path)
    path.rename(shelf.work / "gone")
    shelf.restore(held, path)
    shelf.assert_is(path, held)
    assert [os.access(path / name, os.X_OK) for name in ("small", "large", "plain")] == [True, True, False]


def test_an_executable_bit_alone_is_a_difference(shelf: Shelf) -> None:
    path = shelf.make("out", b"#!")
    plain = shelf.put(path)
    path.chmod(0o755)
    assert shelf.put(path) == Object(plain.id, EXECUTABLE, 2)
    shelf.restore(plain, path)
    assert not os.access(path, os.X_OK)


def test_a_sparse_file_stays_sparse(shelf: Shelf) -> None:
    path = shelf.work / "out"
    with path.open("wb") as file:
        file.seek(64 << 20)
        file.write(b"end")
    held = shelf.put(path)
    path.unlink()
    shelf.restore(held, path)
    shelf.assert_is(path, held)
    assert path.stat().st_blocks * 512 < 8 << 20


def test_a_symlink_is_stored_as_itself_and_followed_only_for_inputs(plain: Shelf) -> None:
    real, link = plain.make("real", b"bytes"), plain.work / "link"
    link.symlink_to("real")
    assert (
        plain.put(link) == plain.store.identify(link, plain.fresh()) == Object(object_id(b"blob", b"real"), SYMLINK, 4)
    )
    assert plain.store.identify(link, plain.fresh(), follow=True) == plain.put(real)


def test_a_symlink_in_the_place_of_a_file_is_replaced_by_the_file(plain: Shelf) -> None:
    held = plain.put(plain.make("real", b"bytes"))
    (plain.work / "link").symlink_to("real")
    plain.restore(held, plain.work / "link")
    assert not (plain.work / "link").is_symlink()
    assert (plain.work / "real").read_bytes() == (plain.work / "link").read_bytes() == b"bytes"


def test_restoring_never_writes_through_a_symlink(plain: Shelf) -> None:
    held = plain.put(plain.make("out", b"bytes"))
    victim, link = plain.make("victim", b"other"), plain.work / "link"
    link.symlink_to("victim")
    plain.restore(held, link)
    assert victim.read_bytes() == b"other"
    assert not link.is_symlink()


def test_restore_writes_only_what_differs(plain: Shelf) -> None:
    path = plain.make("out", {"same": b"1", "edited": b"2", "sub": {"same": b"3"}})
    held = plain.put(path)
    before = (path / "same").stat(), (path / "sub/same").stat()
    (path / "edited").write_bytes(b"changed")
    plain.restore(held, path)
    assert ((path / "same").stat(), (path / "sub/same").stat()) == before
    plain.assert_is(path, held)


def test_restore_turns_anything_into_anything(shelf: Shelf) -> None:
    contents: list[bytes | Tree] = [
        b"file",
        {"a": b"1", "b": {"c": b"2"}},
        {"a": {"now": b"a folder"}, "b": b"a file"},
        BIG,
    ]
    path = shelf.work / "out"
    held = [shelf.put(shelf.make(f"source{number}", content)) for number, content in enumerate(contents)]
    for one in held:
        for other in held:
            shelf.restore(one, path)
            shelf.restore(other, path)
            shelf.assert_is(path, other)
    shelf.assert_nothing_left_over()


def test_restoring_makes_the_folders_above(plain: Shelf) -> None:
    held = plain.put(plain.make("out", b"x"))
    plain.restore(held, plain.work / "deep/er/out")
    assert (plain.work / "deep/er/out").read_bytes() == b"x"


def test_bytes_that_stand_in_the_way_are_stored_first_and_reported(shelf: Shelf) -> None:
    path = shelf.make("out", {"a": b"1"})
    held = shelf.put(path)
    write(path, {"a": b"an edit", "foreign": {"deep": BIG}})
    kept = shelf.restore(held, path)
    assert sorted(name for name, _ in kept) == [str(path / "a"), str(path / "foreign/deep")]
    assert [shelf.reopened().has(obj) for _, obj in kept] == [True, True]
    assert snapshot(path) == {"a": b"1"}


def test_bytes_that_the_store_knows_go_without_a_word(plain: Shelf) -> None:
    path = plain.make("out", {"a": b"1", "b": b"2"})
    both = plain.put(path)
    (path / "b").unlink()
    assert plain.restore(plain.put(path), path) == plain.restore(both, path) == []


def test_an_object_that_is_not_there_is_an_error_that_changes_nothing(plain: Shelf) -> None:
    path = plain.make("out", b"mine")
    with pytest.raises(MissingObject):
        plain.restore(Object("a" * 40, BLOB, 3), path)
    assert path.read_bytes() == b"mine"


def test_has_looks_at_everything_below(shelf: Shelf) -> None:
    held = shelf.put(shelf.make("out", {"sub": {"small": b"1", "large": BIG}}))
    inner = shelf.store.find(held.id, "sub/large")
    assert inner is not None
    path = shelf.store.large_path(inner.id)
    assert path is not None
    assert shelf.reopened().has(held)
    path.unlink()
    assert not shelf.reopened().has(held)
    assert [problem.path for problem in shelf.store.verify(held)] == ["sub/large"]


def test_the_tree_of_outputs_nests_by_path(plain: Shelf) -> None:
    outs = {"a/b": plain.put(plain.make("one", b"1")), "a/c": plain.put(plain.make("two", {"x": b"2"}))}
    tree = plain.store.tree_id(outs)
    assert plain.store.put_tree(outs) == tree
    assert {path: plain.store.find(tree, path) for path in outs} == outs
    assert plain.store.find(tree, "a/c/x") == Object(
        plain.store.identify(plain.work / "two/x", plain.fresh()).id, BLOB, 1
    )
    assert plain.store.find(tree, "a/none") is plain.store.find(tree, "a/b/none") is None
    assert [entry.name for entry in plain.store.entries(tree)] == ["a"]


@pytest.mark.parametrize("path", ["../x", "/abs", "a//b", "a/./b", ".git/config", "a/.GIT/x", ""])
def test_an_output_path_that_leads_elsewhere_is_refused(plain: Shelf, path: str) -> None:
    with pytest.raises(UnsafePath):
        plain.store.tree_id({path: Object("a" * 40, BLOB, 1)})


def test_outputs_inside_each_other_are_refused(plain: Shelf) -> None:
    held = Object("a" * 40, BLOB, 1)
    with pytest.raises(StoreError, match="inside another"):
        plain.store.tree_id({"a": held, "a/b": held})


@pytest.mark.parametrize(
    "name", [".git", ".GIT", ".git ", ".git.", "git~1", ".git::$INDEX_ALLOCATION", ".g\u200cit", "a\\.git"]
)
def test_git_folders_are_refused_in_every_spelling(plain: Shelf, name: str) -> None:
    path = plain.make("out", {"sub": {name: b"x"}})
    with pytest.raises(UnsafePath, match="git"):
        plain.put(path)


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_special_files_are_refused_with_their_path(plain: Shelf, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain.make("out", {"sub": {}})
    if kind == "fifo":
        os.mkfifo(path / "sub/special")
    else:
        monkeypatch.chdir(path / "sub")  # the path of a socket may have no more than a hundred bytes
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind("special")
    with pytest.raises(UnsafePath, match="sub/special"):
        plain.put(path)


def test_a_missing_path_is_an_error(plain: Shelf) -> None:
    with pytest.raises(InputError, match="not there"):
        plain.put(plain.work / "nothing")


def test_small_files_are_loose_and_many_make_one_pack(plain: Shelf) -> None:
    plain.put(plain.make("few", many(90)))
    packs = plain.store.path / "objects/pack"
    assert list(packs.iterdir()) == []
    plain.put(plain.make("many", many(300)))
    assert len(list(packs.glob("*.pack"))) == len(list(packs.glob("*.idx"))) == 1


def test_a_second_put_writes_nothing(shelf: Shelf) -> None:
    path = shelf.make("out", {**many(150), "large": BIG})
    held = shelf.put(path)
    before = sorted(shelf.store.path.rglob("*"))
    assert shelf.reopened().put(path, shelf.fresh()) == shelf.put(path) == held
    assert sorted(shelf.store.path.rglob("*")) == before


def test_the_stat_cache_knows_what_was_put_and_what_was_restored(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shelf.make("out", {"small": b"1", "large": BIG, "sub": {"x": b"2"}})
    held = shelf.put(path)
    path.rename(shelf.work / "gone")
    shelf.restore(held, path)
    shelf.stats.save()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _refuse_to_read)
        found = shelf.store.identify(path, shelf.stats)
    assert found == held


def _refuse_to_read(path: object, *_: object, **__: object) -> int:
    raise AssertionError(f"{path} was opened")


def test_a_store_survives_being_moved(shelf: Shelf, tmp_path: Path) -> None:
    held = shelf.put(shelf.make("out", many(120)))
    moved = shelf.store.path.rename(shelf.store.path.parent / "moved.git")
    Store.open(moved).restore(held, tmp_path / "copy", StatCache.open(tmp_path / "none"))
    assert snapshot(tmp_path / "copy") == many(120)


def test_symlinks_in_a_directory_are_kept_as_such(plain: Shelf) -> None:
    held = plain.put(plain.make("out", {"link": "../somewhere"}))
    assert plain.store.find(held.id, "link") == Object(plain.store.entries(held.id)[0].oid, SYMLINK, 12)


def test_touching_a_file_changes_nothing(plain: Shelf) -> None:
    path = plain.make("out", b"x")
    held = plain.put(path)
    age(path)
    assert plain.store.identify(path, plain.stats) == held
