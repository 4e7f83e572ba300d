"""Notes: their lines, and that Git's own commands read and unite them alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pivot.errors import RecordError
from pivot.git.odb.backend import Author, Backend
from pivot.git.odb.libgit_backend import LibgitBackend
from pivot.git.plumbing.names import is_stage_name
from pivot.git.safe_path import is_safe_path
from pivot.state.notes import (
    REF,
    NoteLine,
    Notes,
    by_stage,
    decode_field,
    encode_field,
    format_line,
    head_lines,
    join_lines,
    parse_line,
    parse_note,
)
from tests.support.backends import AUTHOR
from tests.support.repository import Repo

OTHER_TREE = "0" * 12


def result(tree: str, stage: str = "train", mark: str = "a") -> NoteLine:
    return NoteLine(stage, "result", tree, mark * 32, mark * 12, (("out/a b.json", mark * 40),))


def short_tree(repo: Repo, revision: str = "HEAD") -> str:
    return repo.git("rev-parse", f"{revision}^{{tree}}")[:12]


TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\udc80\udcff %=\n\t\x7f\x85\u2028"))
HEX = st.text("0123456789abcdef", min_size=40, max_size=40)
# A stage is named by its function, below folders that may have any name; a path leads into the project.
STAGES = TEXT.map(lambda folder: f"{folder}/train").filter(is_stage_name)
PATHS = TEXT.filter(is_safe_path)
LINES = st.builds(
    lambda stage, state, oid, outs: (
        NoteLine(stage, state, oid[:12])
        if state != "result"
        else NoteLine(stage, "result", oid[:12], oid[:32], oid[-12:], tuple(sorted(outs.items())))
    ),
    STAGES,
    st.sampled_from(["result", "stale", "unknown"]),
    HEX,
    st.dictionaries(PATHS, HEX, max_size=3),
)


@given(LINES)
def test_a_line_comes_back_as_it_was_written(line: NoteLine) -> None:
    text = format_line(line)
    assert b"\n" not in text
    assert parse_line(text) == line


@given(TEXT)
def test_a_field_is_one_word_without_signs_of_the_format(text: str) -> None:
    field = encode_field(text)
    assert decode_field(field) == text
    assert not set(field) & set(b" =\n\t\r\0")
    field.decode("utf-8")


@given(st.lists(LINES))
def test_a_note_keeps_every_line_once_sorted_by_bytes(lines: list[NoteLine]) -> None:
    text = join_lines(map(format_line, lines))
    parsed, foreign = parse_note(text)
    assert (set(parsed), foreign) == (set(lines), [])
    assert text.splitlines() == sorted(set(text.splitlines())) or not text.isascii()


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"a stale", b"a stale xyz", b"a result b c d", b"s  f", b"\xff \xff \xff"]
)
def test_what_pivot_did_not_write_is_no_line(text: bytes) -> None:
    with pytest.raises(RecordError):
        parse_line(text)


VOID = [
    b"a%1B[31mb stale 000000000000",
    b"a%0Ab unknown 000000000000",
    b"a%20stage stale 000000000000",
    b"train " + b"a" * 32 + b" " + b"a" * 12 + b" 000000000000 ../x=" + b"a" * 40,
    b"train " + b"a" * 32 + b" " + b"a" * 12 + b" 000000000000 .git/hooks/post-checkout=" + b"a" * 40,
    b"train " + b"a" * 32 + b" " + b"a" * 12 + b" 000000000000 out=short",
]


@pytest.mark.parametrize("text", VOID)
def test_a_line_with_a_name_or_path_that_no_stage_has_is_void(text: bytes) -> None:
    with pytest.raises(RecordError):
        parse_line(text)
    assert parse_note(text) == ([], [text])


def test_a_note_of_many_megabytes_is_not_read(made: Repo, backend: Backend) -> None:
    commit = made.commit("one")
    line = format_line(result(short_tree(made))).decode()
    blob = made.git("hash-object", "-w", "--stdin", stdin=f"{line}\n" + f"{'x' * 99}\n" * 100_000)
    made.git("notes", "--ref=pivot", "add", "-C", blob, commit)
    notes = Notes(backend)
    assert notes.read(commit) == {}
    assert "is not used" in notes.refused[commit]
    Notes(backend).write({commit: [result(short_tree(made))]}, "again", AUTHOR)
    assert Notes(backend).read(commit) == {"train": (result(short_tree(made)),)}


def test_a_result_beats_unknown_and_unknown_beats_stale() -> None:
    stale, unknown = NoteLine("train", "stale", OTHER_TREE), NoteLine("train", "unknown", OTHER_TREE)
    assert by_stage([stale, unknown]) == {"train": (unknown,)}
    assert by_stage([stale, result(OTHER_TREE), unknown]) == {"train": (result(OTHER_TREE),)}


def test_two_results_are_both_shown() -> None:
    both = (result(OTHER_TREE, mark="a"), result(OTHER_TREE, mark="b"))
    assert by_stage([*reversed(both), *both]) == {"train": both}


def test_a_note_is_read_back_and_by_git(made: Repo, backend: Backend) -> None:
    commit = made.commit("one")
    line, other = result(short_tree(made)), NoteLine("a folder/prep", "stale", short_tree(made))
    Notes(backend).write({commit: [line, other]}, "note", AUTHOR)
    assert head_lines(backend) == Notes(backend).read(commit) == {"a folder/prep": (other,), "train": (line,)}
    text = f"{format_line(other).decode()}\n{format_line(line).decode()}"
    assert made.git("notes", "--ref=pivot", "show", commit) == text
    assert format_line(line).decode() in made.git("log", "--notes=pivot")
    assert list(Notes(backend).commits()) == [commit]
    made.git("fsck", "--strict")


def test_before_the_first_commit_there_is_nothing(backend: Backend) -> None:
    assert head_lines(backend) == {}


def test_the_layout_is_that_of_git_with_folders(made: Repo, backend: Backend) -> None:
    commit = made.commit("one")
    Notes(backend).write({commit: [result(short_tree(made))]}, "note", AUTHOR)
    assert made.git("ls-tree", "-r", "--name-only", REF) == f"{commit[:2]}/{commit[2:]}"


def test_a_line_about_another_tree_does_not_count(made: Repo, backend: Backend) -> None:
    commit = made.commit("one")
    text = format_line(result(OTHER_TREE)).decode()
    made.git("notes", "--ref=pivot", "add", "-m", text, commit)
    assert Notes(backend).read(commit) == {}
    Notes(backend).write({commit: [result(short_tree(made), "prep")]}, "note", AUTHOR)
    assert made.git("notes", "--ref=pivot", "show", commit) == format_line(result(short_tree(made), "prep")).decode()


def test_what_a_person_added_to_a_note_stays(made: Repo, backend: Backend) -> None:
    commit = made.commit("one")
    made.git("notes", "--ref=pivot", "add", "-m", "looks good to me", commit)
    Notes(backend).write({commit: [result(short_tree(made))]}, "note", AUTHOR)
    assert set(Notes(backend).read(commit)) == {"train"}
    assert "looks good to me" in made.git("notes", "--ref=pivot", "show", commit)
    assert len(made.git("ls-tree", "-r", REF).splitlines()) == 1


def test_a_later_weaker_line_takes_nothing_away(made: Repo, backend: Backend) -> None:
    commit, tree = made.commit("one"), short_tree(made)
    notes = Notes(backend)
    tip = notes.write({commit: [result(tree)]}, "note", AUTHOR)
    assert notes.write({commit: [NoteLine("train", "stale", tree)]}, "note", AUTHOR) == tip
    notes.write({commit: [result(tree, mark="b")]}, "note", AUTHOR)
    assert notes.read(commit) == {"train": (result(tree), result(tree, mark="b"))}


def test_many_notes_are_one_commit_that_git_reads(made: Repo, backend: Backend) -> None:
    commits = [made.commit(f"commit {number}") for number in range(8)]
    lines = {commit: [result(short_tree(made, commit), mark="c")] for commit in commits}
    Notes(backend).write(lines, "notes", AUTHOR)
    assert made.git("rev-list", "--count", REF) == "1"
    assert sorted(line.split()[1] for line in made.git("notes", "--ref=pivot", "list").splitlines()) == sorted(commits)


def test_notes_that_were_fetched_count_and_are_taken_in(made: Repo, backend: Backend) -> None:
    commit, tree = made.commit("one"), short_tree(made)
    notes = Notes(backend)
    theirs = notes.write({commit: [result(tree)]}, "theirs", AUTHOR)
    backend.ref_cas(REF, None, theirs, "start anew")
    backend.ref_cas("refs/pivot-remotes/origin/notes", theirs, None, "fetched")
    assert notes.read(commit) == {"train": (result(tree),)}
    notes.write({commit: [result(tree, "prep")]}, "ours", AUTHOR)
    assert made.git("merge-base", "--is-ancestor", str(theirs), REF) == ""
    assert len(made.git("notes", "--ref=pivot", "show", commit).splitlines()) == 2


def forked(repo: Repo, backend: LibgitBackend) -> tuple[list[str], str]:
    """Three noted commits; then one side notes the first two, the other the last two, differently."""
    commits = [repo.commit(f"commit {number}") for number in range(3)]
    notes = Notes(backend)
    author = Author("a", "b@c", 1)

    def note(numbers: range, mark: str) -> str:
        lines = {
            commits[number]: [result(short_tree(repo), mark=mark), result(short_tree(repo), mark)] for number in numbers
        }
        return str(notes.write(lines, f"note {mark}", author))

    start = note(range(3), "a")
    ours = note(range(2), "b")
    backend.ref_cas(REF, start, ours, "back")
    theirs = note(range(1, 3), "c")
    backend.ref_cas(REF, ours, theirs, "forth")
    return commits, theirs


@pytest.mark.parametrize("flat", [False, True], ids=["folders", "as git writes few"])
def test_the_union_has_the_blobs_of_gits_own_cat_sort_uniq(repo: Repo, flat: bool) -> None:
    backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
    commits, theirs = forked(repo, backend)
    repo.git("update-ref", "refs/notes/theirs", theirs)
    if flat:
        repo.git("notes", "--ref=theirs", "add", "-f", "-m", "seen", commits[0])
        theirs = repo.git("rev-parse", "refs/notes/theirs")
        assert commits[0] in repo.git("ls-tree", "--name-only", theirs)
    repo.git("update-ref", "refs/notes/copy", REF)
    repo.git("notes", "--ref=copy", "merge", "-q", "-s", "cat_sort_uniq", "refs/notes/theirs")
    Notes(backend).absorb(theirs, AUTHOR)
    listed = {ref: sorted(repo.git("notes", f"--ref={ref}", "list").splitlines()) for ref in ("pivot", "copy")}
    assert listed["pivot"] == listed["copy"]
    assert len(listed["pivot"]) == 3
    assert repo.git("merge-base", "--is-ancestor", theirs, REF) == ""


def test_a_note_that_was_pruned_stays_away(repo: Repo) -> None:
    backend = LibgitBackend(repo.path / ".git", repo.path / ".git")
    commits, theirs = forked(repo, backend)
    repo.git("notes", "--ref=pivot", "remove", commits[0])
    Notes(backend).absorb(theirs, AUTHOR)
    assert list(Notes(backend).commits()) == sorted(commits[1:])
