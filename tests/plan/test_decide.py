"""The decision as a table: what is known of a stage, and what is done with it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pivot.plan.decide import Candidate, StageFacts, decide
from pivot.plan.decision import Action, Change, Reason, ReasonKind
from pivot.state.records import Output, Record

RECORD = Record(
    {"nodes": [], "edges": []}, {}, {"deps": [], "outs": []}, {}, {"out": Output("a" * 40, 0o100644, 3)}, "b" * 40
)
HERE = Candidate(RECORD, absent=(), different=(), unstored=(), lost=())
ABSENT = replace(HERE, absent=("out",))
EDITED = replace(HERE, different=("out",))
LOST = replace(HERE, absent=("out",), lost=("out",))
UNSTORED = replace(HERE, unstored=("out",))
CODE = Reason(ReasonKind.CODE, "Code dependency changed", (Change("func:f", "1", "2"),))


def view(*candidates: Candidate, **more: Any) -> StageFacts:
    known: dict[str, Any] = {"fingerprint": "f" * 32, "changes": (), "first": False}
    return StageFacts("train", candidates=candidates, **{**known, **more})


@pytest.mark.parametrize(
    ("seen", "action", "whys"),
    [
        pytest.param(view(HERE), Action.KEEP, [], id="result in place"),
        pytest.param(view(UNSTORED), Action.KEEP, [], id="in place, not in the store"),
        pytest.param(view(ABSENT), Action.RESTORE, [ReasonKind.MISSING_OUTPUT], id="output deleted"),
        pytest.param(view(EDITED), Action.RESTORE, [ReasonKind.EDITED_OUTPUT], id="output edited"),
        pytest.param(view(LOST), Action.RUN, [ReasonKind.LOST], id="bytes nowhere"),
        pytest.param(view(first=True), Action.RUN, [ReasonKind.FIRST], id="never run"),
        pytest.param(view(changes=(CODE,)), Action.RUN, [ReasonKind.CODE], id="code changed"),
        pytest.param(view(), Action.RUN, [ReasonKind.LOST], id="same situation, record gone"),
        pytest.param(view(first=True, failed=True), Action.RUN, [ReasonKind.FAILED], id="failed, never ended well"),
        pytest.param(
            view(changes=(CODE,), failed=True),
            Action.RUN,
            [ReasonKind.CODE, ReasonKind.FAILED],
            id="failed and changed",
        ),
        pytest.param(view(HERE, failed=True), Action.KEEP, [], id="failed, another situation since"),
        pytest.param(view(HERE, forced=True), Action.RUN, [ReasonKind.FORCED], id="forced"),
        pytest.param(view(HERE, always=True), Action.RUN, [ReasonKind.ALWAYS], id="always"),
        pytest.param(
            view(forced=True, changes=(CODE,)),
            Action.RUN,
            [ReasonKind.FORCED, ReasonKind.CODE],
            id="forced and changed",
        ),
        pytest.param(
            view(fingerprint=None, running_upstreams=("prepare",)),
            Action.WAIT,
            [ReasonKind.UPSTREAM],
            id="upstream runs",
        ),
        pytest.param(
            view(fingerprint=None, running_upstreams=("prepare",), changes=(CODE,), forced=True),
            Action.WAIT,
            [ReasonKind.CODE, ReasonKind.UPSTREAM],
            id="upstream runs and code changed",
        ),
        pytest.param(
            view(fingerprint=None, failed_upstreams=("prepare",)),
            Action.BLOCKED,
            [ReasonKind.UPSTREAM_FAILED],
            id="upstream failed",
        ),
        pytest.param(
            view(fingerprint=None, missing_inputs=(Change("raw.csv", None, None),)),
            Action.BLOCKED,
            [ReasonKind.MISSING_INPUT],
            id="input missing",
        ),
        pytest.param(view(frozen=True, changes=(CODE,)), Action.KEEP, [ReasonKind.FROZEN], id="frozen and changed"),
        pytest.param(
            view(ABSENT, frozen=True),
            Action.RESTORE,
            [ReasonKind.FROZEN, ReasonKind.MISSING_OUTPUT],
            id="frozen, absent",
        ),
        pytest.param(view(frozen=True, forced=True), Action.KEEP, [ReasonKind.FROZEN], id="frozen and forced"),
    ],
)
def test_decision(seen: StageFacts, action: Action, whys: list[ReasonKind]) -> None:
    decision = decide(seen)
    assert (decision.action, [reason.why for reason in decision.reasons]) == (action, whys)


def test_a_kept_stage_names_what_the_store_lacks() -> None:
    assert decide(view(UNSTORED)).unstored == ("out",)


def test_the_first_candidate_holds_and_several_are_counted() -> None:
    other = replace(ABSENT, record=replace(RECORD, tree="c" * 40))
    decision = decide(view(HERE, other))
    assert (decision.record, decision.results) == (RECORD, 2)


def test_a_lost_result_keeps_its_record_for_those_downstream() -> None:
    assert decide(view(LOST)).record == RECORD
