"""What a check of commits found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pivot.plan.attest import Attested

VERSION = 1


def verify_lines(checked: Iterable[Attested]) -> Iterator[str]:
    for one in checked:
        if not one.problems:
            number = len(one.stages)
            yield f"{one.commit[:12]}: {number} stage{'' if number == 1 else 's'} verified"
            continue
        yield f"{one.commit[:12]}: does not hold"
        yield from (f"  {problem}" for problem in one.problems)


def verify_document(checked: Iterable[Attested]) -> dict[str, Any]:
    return {"version": VERSION, "commits": [_commit(one) for one in checked]}


def _commit(one: Attested) -> dict[str, Any]:
    problems = [{"stage": problem.stage or None, "problem": problem.what} for problem in one.problems]
    return {"commit": one.commit, "holds": not one.problems, "stages": list(one.stages), "problems": problems}
