"""Values that JSON has no type for, as text in a record: dates, durations, large integers and more.

The text and the annotated type together give the value back. A text that is in use never changes: records and
fingerprints hold it.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Callable
from typing import Any

_DIGITS = 640
"""The smallest limit that Python may have on the digits of an integer's text; longer ones are hexadecimal."""
_INTEGER = re.compile(r"-?(?:0x[0-9a-f]+|[0-9]+)")
_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:\.(?P<fraction>\d{1,6}))?S)?)?"
)
_RANGE = re.compile(r"range\((-?\d+), (-?\d+)(?:, (-?\d+))?\)")
# Named and not imported: every pipeline imports this module, few use these.
_BY_NAME = {("uuid", "UUID"), ("fractions", "Fraction")}


def fits_json(value: int) -> bool:
    """Whether an integer has 64 bits at most: more are no number to many readers of JSON."""
    return -(2**63) <= value < 2**64


def scalar_text(value: Any) -> str | None:
    """The text of a value that has one, or None."""
    if isinstance(value, int):
        return _integer_text(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration_text(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, complex):
        return repr(complex(value)).strip("()")
    if isinstance(value, range):
        return repr(value)
    return str(value) if (type(value).__module__, type(value).__qualname__) in _BY_NAME else None


def parse_scalar(text: str, kind: type) -> Any:
    """The inverse, for a type that has such texts; None for another type.

    Raises:
        ValueError: the text means no value of the type; the error says what is expected.
    """
    for base, read, expected in _READERS:
        if issubclass(kind, base):
            return _parse(text, kind, read, expected)
    if (kind.__module__, kind.__qualname__) in _BY_NAME:
        return _parse(text, kind, lambda kind, text: kind(text), kind.__qualname__)
    return None


def _parse(text: str, kind: type, read: Callable[[Any, str], Any], expected: str) -> Any:
    try:
        return read(kind, text)
    except (ValueError, ArithmeticError, AttributeError):
        raise ValueError(expected.format(kind.__name__)) from None


def _integer_text(value: int) -> str:
    return str(value) if abs(value) < 10**_DIGITS else hex(value)


def _read_integer(_kind: type, text: str) -> int:
    """Only what has no number in JSON is text: `"5"` is no integer."""
    if not _INTEGER.fullmatch(text) or ("x" not in text and len(text.lstrip("-")) > _DIGITS):
        raise ValueError
    value = int(text, 16 if "x" in text else 10)
    if fits_json(value):
        raise ValueError
    return value


def _duration_text(value: datetime.timedelta) -> str:
    """ISO 8601, exact to the microsecond; a subclass that is more exact writes itself."""
    if type(value) is not datetime.timedelta and hasattr(value, "isoformat"):
        return str(value.isoformat())
    sign, left = ("-", -value) if value < datetime.timedelta() else ("", value)
    seconds = f"{left.seconds}.{left.microseconds:06d}" if left.microseconds else str(left.seconds)
    days = f"{left.days}D" if left.days else ""
    time = f"T{seconds}S" if left.seconds or left.microseconds or not days else ""
    return f"{sign}P{days}{time}"


def _read_duration(kind: type, text: str) -> Any:
    if kind is not datetime.timedelta:
        return kind(text)
    found = _DURATION.fullmatch(text)
    if not found or text.endswith(("P", "T")):
        raise ValueError
    parts = {name: int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds")}
    whole = datetime.timedelta(**parts, microseconds=int((found["fraction"] or "").ljust(6, "0")))
    return -whole if found["sign"] else whole


def _read_range(_kind: type, text: str) -> range:
    found = _RANGE.fullmatch(text)
    if not found:
        raise ValueError
    return range(*(int(part) for part in found.groups() if part is not None))


def _read_iso(kind: Any, text: str) -> Any:
    return kind.fromisoformat(text)


def _construct(kind: Any, text: str) -> Any:
    return kind(text)


_READERS: tuple[tuple[Any, Callable[[Any, str], Any], str], ...] = (
    (int, _read_integer, "{}"),
    (decimal.Decimal, _construct, "{}"),
    (datetime.date | datetime.time, _read_iso, "{} in ISO form"),
    (datetime.timedelta, _read_duration, "{} in ISO form, such as P1DT12H or PT0.5S"),
    (complex, _construct, "{}, such as 1+2j"),
    (range, _read_range, "{}, such as range(0, 10, 2)"),
)
