"""What running stages twice came to, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pivot.operations.determinism import Verdict


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """One line for a stage that holds; where the outputs differ otherwise."""
    if verdict.failure:
        yield f"{verdict.stage}: cannot be told"
        yield from (f"  {line}" if line else "" for line in verdict.failure.splitlines())
    elif not verdict.unequal:
        yield f"{verdict.stage}: deterministic: {verdict.outs} output{'s' if verdict.outs != 1 else ''} byte-equal"
    else:
        yield f"{verdict.stage}: NOT deterministic"
    for one in verdict.unequal:
        place = f"  from {one.place}" if one.place else ""
        yield f"  {one.path}  {(one.first or '(none)')[:12]}  {(one.second or '(none)')[:12]}{place}"


def verdict_document(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """`repro --verify-determinism --json`."""
    return {
        "version": 1,
        "stages": [
            {
                "stage": verdict.stage,
                "deterministic": verdict.holds,
                "failure": verdict.failure,
                "unequal": [
                    {"path": one.path, "first": one.first, "second": one.second, "place": one.place}
                    for one in verdict.unequal
                ],
            }
            for verdict in verdicts
        ],
    }
