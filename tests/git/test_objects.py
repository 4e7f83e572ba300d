"""Trees and commits as bytes: the fast ways agree with the plain one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import GitError
from pivot.git.odb.backend import BLOB, EXECUTABLE, TREE, Author, TreeEntry
from pivot.git.odb.objects import edit_tree, entries_from, format_commit, format_tree, parse_commit, parse_tree

START = "0123456789abcdef0123456789abcd."
# Ids that look like what stands around them: digits of modes, the beginning of an entry.
NASTY = ["34" * 20, "2f" * 20, b"40000 0123456789abcd".hex(), "00" * 20, (b"x" * 19 + b"4").hex()]
IDS = st.sampled_from(NASTY) | st.binary(min_size=20, max_size=20).map(bytes.hex)
NAMES = st.sampled_from(["a", "a.b", "a0", "b", START + "aa", START + "bb", START[:-1], "x" + START]) | st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1
).filter(lambda name: name not in (".", "..") and name.lower() != ".git")
ENTRIES = st.dictionaries(NAMES, st.tuples(st.sampled_from([BLOB, TREE, EXECUTABLE]), IDS)).map(
    lambda found: {name: TreeEntry(name, mode, oid) for name, (mode, oid) in found.items()}
)


@given(ENTRIES)
def test_a_tree_comes_back_as_it_was_written(entries: dict[str, TreeEntry]) -> None:
    assert {entry.name: entry for entry in parse_tree(format_tree(entries.values()), "sha1")} == entries


@given(ENTRIES)
def test_a_search_by_a_long_start_finds_what_reading_finds(entries: dict[str, TreeEntry]) -> None:
    data = format_tree(entries.values())
    expected = [entry for entry in parse_tree(data, "sha1") if entry.name.startswith(START)]
    assert entries_from(data, START, "sha1") == expected


@given(ENTRIES, ENTRIES, st.sets(NAMES))
def test_editing_a_tree_is_writing_it_anew(
    old: dict[str, TreeEntry], new: dict[str, TreeEntry], gone: set[str]
) -> None:
    changes: dict[str, TreeEntry | None] = {**new, **dict.fromkeys(gone)}
    expected = {name: entry for name, entry in {**old, **changes}.items() if entry}
    assert edit_tree(format_tree(old.values()), changes, "sha1") == format_tree(expected.values())


@pytest.mark.parametrize("data", [b"x", b"100644 a\0short", format_tree([TreeEntry("a", BLOB, "1" * 40)]) + b"x"])
def test_bytes_that_are_no_tree_are_refused(data: bytes) -> None:
    for use in (lambda: parse_tree(data, "sha1"), lambda: edit_tree(data, {}, "sha1")):
        with pytest.raises(GitError, match="damaged"):
            use()


def test_a_signed_commit_with_several_parents_is_read() -> None:
    head = b"tree %s\nparent %s\nparent %s\nauthor A <a@b> 1 +0000\n" % (b"1" * 40, b"2" * 40, b"3" * 40)
    commit = parse_commit(
        head + b"committer C <c@d> 2 +0000\ngpgsig -----BEGIN\n tree x\n -----END\n\nsubject\n\nbody\n"
    )
    assert (commit.tree, commit.parents) == ("1" * 40, ("2" * 40, "3" * 40))
    assert (commit.author, commit.message) == ("A <a@b> 1 +0000", "subject\n\nbody\n")


@given(st.integers(-14 * 60, 14 * 60), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_written_commit_is_read_back(offset: int, message: str) -> None:
    commit = parse_commit(format_commit("1" * 40, ["2" * 40], message, Author("Ada", "a@b", 5, offset)))
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}{abs(offset) % 60:02}"
    assert commit == ("1" * 40, ("2" * 40,), f"Ada <a@b> 5 {zone}", message.rstrip("\n") + "\n")


def test_bytes_that_are_no_commit_are_refused() -> None:
    with pytest.raises(GitError, match="damaged"):
        parse_commit(b"")
