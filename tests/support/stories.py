"""What a run did, as its events tell it."""

from __future__ import annotations

from tests.support.repository import Repo


def endings(repo: Repo, *args: str, code: int = 0) -> dict[str, str]:
    """Run `repro` and say how each stage ended."""
    events = repo.pivot("repro", "--json", *args).expect(code).events()
    return {event["stage"]: event["ending"] for event in events if event["event"] == "ended"}


def ran(repo: Repo, *args: str, code: int = 0) -> list[str]:
    """Run `repro` and name the stages that ran, in the order in which they ended."""
    return [stage for stage, ending in endings(repo, *args, code=code).items() if ending == "ran"]
