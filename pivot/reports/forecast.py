"""A forecast as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from pivot.reports.units import seconds
from pivot.schedule.forecast import Forecast

_SHOWN = 5


def forecast_lines(expected: Forecast) -> Iterator[str]:
    """The expected time and the longest chain; nothing where no past run tells anything."""
    if expected.seconds:
        least = "at least " if expected.unknown else ""
        yield f"expected: {least}{seconds(expected.seconds)} with {expected.jobs} at a time"
    if expected.seconds and expected.unknown:
        yield f"  {expected.unknown} of them never ran here and count for nothing"
    if expected.seconds and len(expected.chain) > 1:
        chain = [*expected.chain[:_SHOWN], *(["..."] if len(expected.chain) > _SHOWN else [])]
        yield f"  longest chain: {' > '.join(chain)} ({seconds(expected.chain_seconds)})"


def forecast_document(expected: Forecast) -> dict[str, object]:
    return {
        "seconds": round(expected.seconds, 3),
        "jobs": expected.jobs,
        "unknown": expected.unknown,
        "chain": list(expected.chain),
        "chain_seconds": round(expected.chain_seconds, 3),
    }
