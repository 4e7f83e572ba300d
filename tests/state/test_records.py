from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pivot.errors import RecordError, UnknownVersion
from pivot.git.output_tree import nest
from pivot.git.safe_path import is_safe_path
from pivot.state.records import MOST_RECORD, Output, Record, check_record, parse_info, parse_record
from tests.support.samples import declares, info, record


def refuse(changed: Record, because: str) -> None:
    """The invariant: a record that says this is not believed, even under its own name."""
    with pytest.raises(RecordError, match=because):
        check_record(parse_record(changed.to_bytes()), changed.fingerprint, changed.result)


def with_output(path: str = "a", oid: str = "a" * 40, mode: int = 0o100644, size: int = 1) -> Record:
    return replace(record(1), outs={path: Output(oid, mode, size)})


def test_a_record_comes_back_as_it_was_written() -> None:
    assert parse_record(record(1).to_bytes()) == record(1)


def test_the_fingerprint_can_be_made_again_from_the_bytes() -> None:
    assert parse_record(record(7).to_bytes()).fingerprint == record(7).fingerprint


def test_info_comes_back_and_a_newer_field_is_left_out() -> None:
    assert parse_info(info().to_bytes()) == info()
    assert parse_info(info().to_bytes().replace(b'"host"', b'"a-new-field":1,"host"')) == info()


def test_a_newer_version_is_a_sentence_and_no_guess() -> None:
    with pytest.raises(UnknownVersion, match="has version 2, scheme 1; this Pivot reads version 1"):
        parse_record(record(1).to_bytes().replace(b'"version":1', b'"version":2'))


NO_RECORDS = [b"", b"{", b"[]", b"1", b"{}", b"\xff", b'{"version":1,"scheme":1}', b"null", b"[" * 100_000]


@pytest.mark.parametrize("data", NO_RECORDS)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        parse_record(data)


def test_a_record_under_another_name_is_refused() -> None:
    check_record(record(1), record(1).fingerprint, record(1).result)
    for fingerprint, result in ((record(2).fingerprint, record(1).result), (record(1).fingerprint, "b" * 12)):
        with pytest.raises(RecordError, match="another fingerprint or result"):
            check_record(record(1), fingerprint, result)


UNSAFE = ["", "/etc/x", "../x", "a/../../x", "a//b", "a/.", ".git/config", "a/.GIT/x", "git~1/x", ".git ./x", "a\0b"]


@pytest.mark.parametrize("path", [*UNSAFE, ".g\u200cit/x", ".git::$INDEX_ALLOCATION/x"])
def test_a_path_that_leads_out_or_into_git_is_refused(path: str) -> None:
    refuse(with_output(path=path), "leads out of the project")


@pytest.mark.parametrize("path", ["a", "a/b c", ".gitignore", "x.git/y", "...", "ünï", ".pivot"])
def test_ordinary_paths_are_fine(path: str) -> None:
    assert is_safe_path(path)


def test_outputs_need_an_id_a_mode_and_a_size() -> None:
    refuse(with_output(oid="../../x"), r"matching regex .* `\$.outs\[...\].id`")
    refuse(with_output(oid="a" * 40 + "\n"), "matching regex")
    refuse(with_output(mode=0o160000), "mode")
    refuse(with_output(size=-1), ">= 0")
    refuse(replace(record(1), tree="zz"), "tree")


def test_a_graph_of_code_has_edges_for_each_node_that_lead_somewhere() -> None:
    refuse(replace(record(1), code={"nodes": [], "edges": []}), "list of edges for each node")
    refuse(replace(record(1), code={"nodes": ["a"], "edges": [[["x", 1]]]}), "leads nowhere")
    refuse(replace(record(1), code={"nodes": ["a"], "edges": [[["x"]]]}), "shape")


def test_parameters_are_nested_as_deep_as_anybody_walks_them() -> None:
    deep: object = 1
    for _ in range(150):
        deep = [deep]
    refuse(replace(record(1), params={"a": deep}), "deeper than 100")


def test_more_bytes_than_a_record_has_are_refused() -> None:
    with pytest.raises(RecordError, match="at most"):
        parse_record(b" " * (MOST_RECORD + 1))


STRANGE = ["a\x1b[31mb", "a\nb", "", "a stage", "x/", "\x9b31m", "a\u202eb", "n" * 2000]


@pytest.mark.parametrize("stage", STRANGE)
def test_an_info_of_a_stage_that_nobody_could_register_is_void(stage: str) -> None:
    with pytest.raises(RecordError, match="no stage has this name"):
        parse_info(info(stage).to_bytes())


@pytest.mark.parametrize("change", [{"finished": "yesterday"}, {"seconds": float("nan")}, {"cpu": float("inf")}])
def test_an_info_has_a_time_and_finite_seconds(change: dict[str, object]) -> None:
    with pytest.raises(RecordError):
        parse_info(replace(info(), **change).to_bytes())


def result_of(outs: dict[str, Output], **declared: object) -> Record:
    """A record that is sound in itself, whatever its stage declares."""
    spec = declares("out/a", "out/b", **declared)  # type: ignore[arg-type]
    return replace(record(1), outs=outs, spec=spec, tree=nest(outs, lambda _oid, _data: None))


FILE, FOLDER = Output("a" * 40, 0o100644, 1), Output("b" * 40, 0o040000, 1)
BOTH = {"out/a": FILE, "out/b": FILE}


def test_a_record_has_the_outputs_that_its_stage_declares() -> None:
    refuse(result_of({**BOTH, "pipeline.py": FILE}), "its stage declares no output pipeline.py")
    refuse(result_of({"out/a": FILE}), "lacks the declared output out/b")
    refuse(result_of(BOTH, kind="directory"), "declares the directory out/a")
    for found in (
        result_of(BOTH),
        result_of({"out/a": FOLDER, "out/b": FOLDER}, kind="directory"),
        result_of({"out/a": FILE}, flags=["optional"]),
    ):
        check_record(found, found.fingerprint, found.result)


def test_a_record_names_the_tree_of_its_outputs() -> None:
    refuse(replace(result_of(BOTH), tree="c" * 40), "do not give the tree")
    refuse(replace(result_of(BOTH), outs={**BOTH, "out/a": FOLDER}), "do not give the tree")


@pytest.mark.parametrize("outs", [None, 1, {}, {"outs": None}, {"outs": [1]}, {"outs": [{"paths": ["out/1.json"]}]}])
def test_declarations_that_cannot_be_read_are_refused(outs: object) -> None:
    refuse(replace(record(1), spec=outs), "shape")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda items: st.lists(items) | st.dictionaries(st.text(), items)
    )
)
def test_a_field_of_any_shape_is_refused_and_never_crashes(value: object) -> None:
    for field in ("outs", "deps", "tree", "code", "spec"):
        data = record(1).to_bytes()
        changed = replace(record(1), **{field: value})
        try:
            data = changed.to_bytes()
        except AttributeError:
            continue  # Python itself cannot write this one
        try:
            found = parse_record(data)
            check_record(found, record(1).fingerprint, record(1).result)
        except RecordError:
            continue
        assert found.fingerprint == record(1).fingerprint
