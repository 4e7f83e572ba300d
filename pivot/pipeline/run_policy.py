"""How a stage is to be run, as `register` takes it; never part of its fingerprint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from pivot.errors import PipelineError
from pivot.pipeline.source_location import SourceLine
from pivot.pipeline.spec import Policy

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST = 2**31 - 1
_RESOURCE = re.compile(r"[A-Za-z][\w-]*")


def read_policy(given: Mapping[str, Any], stage: str, line: SourceLine) -> Policy:
    """From the options of `register` (`resources`, `mutex`, `timeout`, `retries`, `priority`); None: the default.

    Raises:
        PipelineError: a value that means nothing.
    """
    reader = _Reader(given, stage, line)
    return Policy(
        resources=reader.resources(),
        mutex=reader.mutex(),
        timeout=reader.timeout(),
        retries=reader.whole("retries", least=0),
        priority=reader.whole("priority"),
    )


def read_duration(text: str | float) -> float | None:
    """Seconds from a number, or from text such as `90`, `90s`, `5m`, `1.5h`; None for anything else and for 0."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text) if text > 0 else None
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    return (float(found[1]) * _SECONDS[found[2]] or None) if found else None


def resource_name(name: str) -> str:
    """The name as it is compared: Git settings have no capitals and no underscores."""
    return name.lower().replace("-", "_")


class _Reader:
    """The options of one registration."""

    def __init__(self, given: Mapping[str, Any], stage: str, line: SourceLine) -> None:
        self._given = given
        self._stage = stage
        self._line = line

    def resources(self) -> dict[str, float]:
        given = self._given.get("resources") or {}
        if not isinstance(given, Mapping):
            self._refuse("resources", given, 'Write resources={"gpu": 1, "memory_gb": 8}.')
        found = {}
        for name, amount in given.items():
            is_amount = isinstance(amount, int | float) and not isinstance(amount, bool) and amount >= 0
            if not isinstance(name, str) or not _RESOURCE.fullmatch(name) or not is_amount:
                self._refuse(
                    "resources", given, "A resource is a name with letters and digits, and an amount from 0 up."
                )
            found[resource_name(name)] = float(amount)
        return dict(sorted(found.items()))

    def mutex(self) -> tuple[str, ...]:
        given = self._given.get("mutex") or ()
        names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list | tuple) else None
        if names is None or not all(isinstance(name, str) and name for name in names):
            self._refuse("mutex", given, 'Write mutex="db", a list of names, or "*" for a stage that runs alone.')
        return tuple(sorted(set(names)))

    def timeout(self) -> float | None:
        given = self._given.get("timeout")
        seconds = None if given is None else read_duration(given)
        if given is not None and seconds is None:
            self._refuse("timeout", given, 'Write seconds, or text such as "90s", "5m" or "2h".')
        return seconds

    def whole(self, option: str, least: int = -_MOST) -> int:
        given = self._given.get(option) or 0
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= _MOST:
            self._refuse(option, given, f"Write a whole number: {option}=2.")
        return given

    def _refuse(self, option: str, given: object, hint: str) -> NoReturn:
        raise PipelineError(f"stage `{self._stage}`: {option} cannot be {given!r}", where=self._line.text, hint=hint)
