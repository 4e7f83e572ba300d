"""What is slow by nature: the repeats that `make test` leaves out and `make test-all` runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

Case = TypeVar("Case")

# Here a case is some commands long: a second or more.
_LONG = [Path(__file__).parents[1] / name for name in ("stories", "cli", "hooks", "sync", "docs")]
_SHOWN = 2


def slow_unless(cases: Iterable[Case], is_quick: Callable[[Case], object]) -> list[object]:
    """The cases of `parametrize` or of a fixture, marked `slow` except the few that show the mechanism."""
    marked: list[object] = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        marked.append(case if is_quick(case) else pytest.param(*values, marks=pytest.mark.slow))
    return marked


def mark_long_tables(items: Iterable[pytest.Item]) -> None:
    """Of a test with a table of cases that are long, the first two show the mechanism: the others are `slow`."""
    met: Counter[str] = Counter()
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and _is_long(item.path):
            test = item.nodeid.partition("[")[0]
            met[test] += item.get_closest_marker("slow") is None
            if met[test] > _SHOWN:
                item.add_marker(pytest.mark.slow)


def _is_long(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _LONG)
