"""What is said to have changed between a record and the situation now."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pivot.code.analysis.model import AnalysedStage
from pivot.plan.decision import Reason, ReasonKind
from pivot.plan.explain import Past, differences
from pivot.plan.situation import situation_of
from pivot.state.records import Info, Record
from tests.support.specs import artifact, entry, spec, stage

ROOT, CALLED, OTHER = entry("func:train", "1", ("clean", 1)), entry("func:clean", "2"), entry("func:wash", "3")
BEFORE = stage(spec("train", deps=["data"], outs=["model"], params={"lr": 0.1}), ROOT, CALLED)


def past(of: AnalysedStage, deps: dict[str, str]) -> Past:
    record: Record = situation_of(of, deps).result({}, "0" * 40)
    named = tuple((one.name, one.file, one.line) for one in of.manifest.entries)
    return Past(record, Info("train", named, 1.0, "2024-01-01T00:00:00Z", "host", "3.11", "me"))


def changed(now: AnalysedStage, deps: dict[str, str] | None = None) -> list[tuple[ReasonKind, list[tuple[Any, ...]]]]:
    reasons: tuple[Reason, ...] = differences(
        past(BEFORE, {"data": "a" * 40}), now, deps or {"data": "a" * 40}, {"data": 7}
    )
    return [(one.why, [(change.name, change.old, change.new) for change in one.changes]) for one in reasons]


def test_an_equal_situation_differs_in_nothing() -> None:
    assert changed(BEFORE) == []


def test_an_edited_helper_is_named_with_both_digests() -> None:
    now = stage(BEFORE.spec, ROOT, entry("func:clean", "9"))
    assert changed(now) == [(ReasonKind.CODE, [("func:clean", "2" * 32, "9" * 32)])]


def test_a_helper_that_is_new_and_one_that_is_gone_are_named() -> None:
    now = stage(BEFORE.spec, entry("func:train", "8", ("wash", 1)), OTHER)
    assert changed(now) == [
        (
            ReasonKind.CODE,
            [("func:train", "1" * 32, "8" * 32), ("func:wash", None, "3" * 32), ("func:clean", "2" * 32, None)],
        )
    ]


def test_a_name_bound_to_another_function_is_a_change() -> None:
    three = stage(BEFORE.spec, entry("func:train", "1", ("clean", 1), ("wash", 2)), CALLED, OTHER)
    swapped = stage(BEFORE.spec, entry("func:train", "1", ("clean", 1), ("wash", 2)), OTHER, CALLED)
    reasons = differences(past(three, {}), swapped, {}, {})
    assert [change.note for change in reasons[0].changes] == ["clean is now func:wash; wash is now func:clean"]


def test_changed_data_shows_both_ids_and_the_size() -> None:
    reasons = differences(past(BEFORE, {"data": "a" * 40}), BEFORE, {"data": "b" * 40}, {"data": 7})
    change = reasons[0].changes[0]
    assert (reasons[0].why, change.old, change.new, change.note) == (ReasonKind.DATA, "a" * 40, "b" * 40, "7 bytes")


def test_a_changed_parameter_shows_both_values() -> None:
    now = stage(replace(BEFORE.spec, params={"lr": 0.2}), ROOT, CALLED)
    assert changed(now) == [(ReasonKind.PARAMS, [("lr", "0.1", "0.2")])]


def test_one_and_one_point_zero_are_different_parameters() -> None:
    one = past(stage(replace(BEFORE.spec, params={"n": 1}), ROOT, CALLED), {})
    now = stage(replace(BEFORE.spec, params={"n": 1.0}), ROOT, CALLED)
    assert [reason.why for reason in differences(one, now, {}, {})] == [ReasonKind.PARAMS]


def test_a_changed_output_definition_is_named_by_its_key() -> None:
    now = stage(replace(BEFORE.spec, outs=(artifact("model", "out", "model", ("keep",)),)), ROOT, CALLED)
    assert [(why, [name for name, *_ in names]) for why, names in changed(now)] == [(ReasonKind.SPEC, ["output:model"])]


def test_all_reasons_are_listed() -> None:
    now = stage(replace(BEFORE.spec, params={"lr": 0.2}), ROOT, entry("func:clean", "9"))
    assert [why for why, _ in changed(now, {"data": "b" * 40})] == [ReasonKind.CODE, ReasonKind.PARAMS, ReasonKind.DATA]


def test_an_input_not_known_yet_is_no_difference() -> None:
    assert differences(past(BEFORE, {"data": "a" * 40}), BEFORE, {}, {}) == ()
