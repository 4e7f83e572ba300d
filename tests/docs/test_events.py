"""The schema of the events page holds against what a run writes, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from pivot.plan.decision import Action
from pivot.reports.run import event_document
from pivot.run.events import Changed, Ending, Event, Paused, StagePulling, Unplanned, WaitingForLock, Watching
from tests.support.repository import Repo
from tests.support.schema import schema_of, violations

SCHEMA = schema_of(Path(__file__).parents[2] / "docs" / "events.md")
DEFS = SCHEMA["$defs"]
OF_A_RUN = ["planned", "forecast", "started", "restoring", "printed", "ended", "noticed", "run-ended"]
EVENTS = [*OF_A_RUN, "pulling", "watching", "changed", "unplanned", "waiting", "paused"]

PIPELINE = """
from typing import Annotated
from pivot import Dep, Out, Pipeline

def fine() -> Annotated[str, Out("fine.txt")]:
    print("a line")
    return "fine"

def flaky(text: Annotated[str, Dep("fine.txt")]) -> Annotated[str, Out("flaky.txt")]:
    print("about to fail")
    raise RuntimeError("no")

def after(text: Annotated[str, Dep("flaky.txt")]) -> Annotated[str, Out("after.txt")]:
    return text

pipeline = Pipeline("events")
pipeline.register(fine)
pipeline.register(flaky, retries=1)
pipeline.register(after)
"""


@pytest.fixture
def events(repo: Repo) -> list[dict[str, Any]]:
    """Every kind of event: a run that fails, one that restores, and one of which the time is known."""
    repo.write("pipeline.py", PIPELINE)
    first = repo.pivot("repro", "--json").expect(1).events()
    (repo.path / "fine.txt").unlink()
    repo.replace("pipeline.py", '"about to fail"', '"changed"')
    second = repo.pivot("repro", "--json").expect(1).events()
    repo.replace("pipeline.py", '"a line"', '"a new line"')
    return [*first, *second, *repo.pivot("repro", "--json").expect(1).events()]


def test_every_event_is_as_the_page_says(events: list[dict[str, Any]]) -> None:
    found = [why for event in events for why in violations(event, DEFS[event["event"]], DEFS)]
    assert found == []


def test_what_needs_a_watch_or_a_remote_is_written_as_the_page_says() -> None:
    events: list[Event] = [
        StagePulling("train", "lab", 3),
        Watching("why"),
        Changed(("a.py", "b.py")),
        Unplanned("text", "pipeline.py"),
        WaitingForLock("process 1"),
        Paused(on=True),
    ]
    documents = [event_document(event) for event in events]
    assert [document["event"] for document in documents] == EVENTS[len(OF_A_RUN) :]
    assert [why for one in documents for why in violations(one, DEFS[str(one["event"])], DEFS)] == []


def test_a_run_writes_every_kind_of_event(events: list[dict[str, Any]]) -> None:
    assert {event["event"] for event in events} == set(OF_A_RUN)
    assert {event["ending"] for event in events if event["event"] == "ended"} == {
        "ran",
        "restored",
        "failed",
        "blocked",
    }


def test_the_page_names_every_kind_that_there_is() -> None:
    assert [one["$ref"].rpartition("/")[2] for one in SCHEMA["oneOf"]] == EVENTS
    assert DEFS["ended"]["properties"]["ending"]["enum"] == list(get_args(Ending))
    assert sorted(DEFS["decision"]["properties"]["action"]["enum"]) == sorted(one.value for one in Action)


@pytest.mark.parametrize(
    "change", [{"line": 3}, {"passing": "no"}, {"passing": 1}, {"event": "printd"}, {"more": 1}, {"line": None}]
)
def test_a_wrong_event_is_seen(change: dict[str, Any]) -> None:
    event = {"event": "printed", "stage": "a", "line": "", "passing": False}
    assert not list(violations(event, DEFS["printed"], DEFS))
    assert list(violations({**event, **change}, DEFS["printed"], DEFS))
