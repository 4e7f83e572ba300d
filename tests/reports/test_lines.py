"""What people read: status lines, explain blocks, run lines and totals, from plain data."""

from __future__ import annotations

import pytest

from pivot.plan.decision import Action, Change, Decision, Plan, Reason, ReasonKind
from pivot.reports.explain import explain
from pivot.reports.run import event_document, event_lines, totals
from pivot.reports.status import status_lines
from pivot.reports.units import first, seconds, size
from pivot.run.events import NOT_STARTED, RunEnded, StageEnded, StagePrinted

CODE = Reason(
    ReasonKind.CODE,
    "Code dependency changed",
    (Change("func:normalize", "5995c853" + "0" * 24, "a1b2c3d4" + "0" * 24, "src/utils.py:15"),),
)
UPSTREAM = Reason(ReasonKind.UPSTREAM, "Upstream will run: prepare")


def plan(*decisions: Decision) -> Plan:
    return Plan({one.stage: one for one in decisions})


def test_explain_prints_the_form_that_the_design_gives() -> None:
    assert "\n".join(explain(Decision("train", Action.RUN, (CODE,)))) == (
        "Stage: train\n"
        "  Status: WILL RUN\n"
        "  Reason: Code dependency changed\n"
        "\n"
        "  Changes:\n"
        "    func:normalize\n"
        "      Old: 5995c853\n"
        "      New: a1b2c3d4\n"
        "      File: src/utils.py:15"
    )


def test_all_reasons_of_a_stage_are_listed() -> None:
    lines = list(explain(Decision("train", Action.WAIT, (CODE, UPSTREAM))))
    assert [line for line in lines if "Reason" in line] == [
        "  Reason: Code dependency changed",
        "  Reason: Upstream will run: prepare",
    ]


def test_a_value_is_shown_whole_and_an_absent_side_as_none() -> None:
    reason = Reason(ReasonKind.PARAMS, "Parameter changed", (Change("learning_rate", None, "0.123456789"),))
    lines = list(explain(Decision("train", Action.RUN, (reason,))))
    assert lines[-2:] == ["      Old: (none)", "      New: 0.123456789"]


def test_the_diff_shows_the_changed_lines_of_the_source() -> None:
    texts = {CODE.changes[0].old: "def f():\n    return 1\n", CODE.changes[0].new: "def f():\n    return 2\n"}
    lines = list(explain(Decision("train", Action.RUN, (CODE,)), texts.get))
    assert "      -    return 1" in lines
    assert "      +    return 2" in lines


def test_status_names_the_first_changed_entry_of_each_stale_stage() -> None:
    shown = list(status_lines(plan(Decision("train", Action.RUN, (CODE,)), Decision("plot", Action.KEEP, ()))))
    assert shown == ["train  code changed: func:normalize (src/utils.py:15)", "2 stages: 1 up to date, 1 to run"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "No stages."), (1, "1 stage up to date."), (3, "All 3 stages up to date.")]
)
def test_status_of_stages_that_are_up_to_date_is_one_line(count: int, text: str) -> None:
    assert list(status_lines(plan(*(Decision(f"s{n}", Action.KEEP, ()) for n in range(count))))) == [text]


def test_the_totals_name_failed_and_blocked_stages() -> None:
    ended = RunEnded({"a": "ran", "b": "failed", "c": "blocked", "d": "unchanged"}, 1.0)
    assert totals(ended).splitlines() == [
        "1 ran, 0 restored, 1 unchanged, 1 failed in 1.00 s",
        "failed: b",
        "blocked: c",
    ]


def test_of_many_stages_that_a_run_left_the_first_are_named() -> None:
    ended = RunEnded({f"s{number}": "skipped" for number in range(12)}, 1.0, interrupted=True)
    named = "skipped: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more"
    assert totals(ended).splitlines()[1:] == [named, "interrupted"]


@pytest.mark.parametrize(("message", "lines"), [(NOT_STARTED, []), ("too long", ["train: skipped: too long"])])
def test_a_stage_that_was_skipped_has_a_line_where_it_has_a_reason(message: str, lines: list[str]) -> None:
    assert list(event_lines(StageEnded("train", "skipped", message=message))) == lines


def test_passing_states_of_a_progress_bar_are_not_lines_but_events() -> None:
    assert list(event_lines(StagePrinted("train", "50%", passing=True))) == []
    assert event_document(StagePrinted("train", "50%", passing=True))["passing"] is True


def test_unchanged_stages_are_counted_and_not_listed() -> None:
    assert list(event_lines(StageEnded("train", "unchanged"))) == []


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.50 s"), (61, "1 min 1 s"), (3725, "1 h 2 min")])
def test_seconds_for_people(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0 B"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB")])
def test_bytes_for_people(value: int, text: str) -> None:
    assert size(value) == text


def test_a_long_list_ends_with_how_many_more_there_are() -> None:
    assert first(["a", "b"], 2) == "a, b"
    assert first(["a", "b", "c"], 2) == "a, b and 1 more"


def test_a_failure_shows_the_beginning_of_a_long_line() -> None:
    failed = StageEnded("load", "failed", (), tail=("x" * 8000, "short"))
    shown = list(event_lines(failed))
    assert [line for line in shown if "x" in line] == [f"    {'x' * 500} ... (7500 more characters)"]
    assert "    short" in shown
