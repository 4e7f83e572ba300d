"""What the user has decided about things that a fingerprint does not cover: `pivot.env`, `pivot.packages` and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

DRIFT = ("ignore", "warn", "rerun")
UNDECLARED = ("ignore", "warn", "error")
UNTRACKED = ("warn", "error")


class Choices(Protocol):
    """Settings, as far as they are needed here."""

    def get_choice(self, key: str, choices: tuple[str, ...], default: str) -> str: ...


class Policies(Struct, frozen=True):
    """`env` and `packages`: ignore, warn or rerun; `undeclared`: ignore, warn or error; `untracked`: warn or error."""

    env: str = "warn"
    packages: str = "warn"
    undeclared: str = "warn"
    untracked: str = "warn"


def read_policies(settings: Choices) -> Policies:
    """Raises `SettingError` for a value that means nothing."""
    return Policies(
        env=settings.get_choice("pivot.env", DRIFT, "warn"),
        packages=settings.get_choice("pivot.packages", DRIFT, "warn"),
        undeclared=settings.get_choice("pivot.undeclared", UNDECLARED, "warn"),
        untracked=settings.get_choice("pivot.untracked", UNTRACKED, "warn"),
    )


def differing(
    before: Mapping[str, str | None], now: Mapping[str, str | None]
) -> list[tuple[str, str | None, str | None]]:
    """Name, old and new value of what both sides know and give differently."""
    return [(name, before[name], now[name]) for name in sorted(before) if name in now and before[name] != now[name]]
