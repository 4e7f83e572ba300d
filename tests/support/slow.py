"""What is slow by nature: the repeats that `make test` leaves out and `make test-all` runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

Case = TypeVar("Case")


def slow_unless(cases: Iterable[Case], is_quick: Callable[[Case], object]) -> list[object]:
    """The cases of `parametrize` or of a fixture, marked `slow` except the few that show the mechanism."""
    marked: list[object] = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        marked.append(case if is_quick(case) else pytest.param(*values, marks=pytest.mark.slow))
    return marked
