"""How a stage is to be run: what `register` takes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from pivot.errors import PipelineError
from pivot.pipeline.run_policy import read_duration, read_policy
from pivot.pipeline.source_location import known_line
from pivot.pipeline.spec import Location, Policy

HERE = known_line(Location("pipeline.py", 3))


def test_nothing_given_is_the_default() -> None:
    assert read_policy({}, "train", HERE) == Policy()


def test_values_are_brought_into_one_form() -> None:
    given = {
        "resources": {"memory-GB": 8, "gpu": 1},
        "mutex": ["b", "a", "b"],
        "timeout": "2m",
        "retries": 3,
        "priority": -1,
    }
    expected = Policy({"gpu": 1.0, "memory_gb": 8.0}, ("a", "b"), 120.0, 3, -1)
    assert read_policy(given, "train", HERE) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("1d", 86400), (0.5, 0.5), ("", None), ("soon", None),
     ("5 w", None), (0, None), (-1, None), (True, None), ("0", None)],
)  # fmt: skip
def test_durations(text: str | float, seconds: float | None) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("resources", {"gpu": -1}),
        ("resources", {"gpu": "1"}),
        ("resources", {"": 1}),
        ("resources", {"gpu": True}),
        ("resources", ["gpu"]),
        ("mutex", 3),
        ("mutex", ["db", 3]),
        ("timeout", "soon"),
        ("timeout", 0),
        ("retries", -1),
        ("retries", 1.5),
        ("retries", 10**30),
        ("priority", "high"),
        ("priority", -(10**30)),
    ],
)
def test_a_value_that_means_nothing_is_refused_where_it_stands(option: str, value: Any) -> None:
    with pytest.raises(PipelineError) as caught:
        read_policy({option: value}, "train", HERE)
    assert caught.value.what == f"stage `train`: {option} cannot be {value!r}"
    assert (caught.value.where, bool(caught.value.hint)) == ("pipeline.py:3", True)
