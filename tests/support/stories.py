"""What a run did, as its events tell it."""

from __future__ import annotations

import subprocess

from tests.support.repository import Repo


def endings(repo: Repo, *args: str, code: int = 0) -> dict[str, str]:
    """Run `repro` and say how each stage ended."""
    events = repo.pivot("repro", "--json", *args).expect(code).events()
    return {event["stage"]: event["ending"] for event in events if event["event"] == "ended"}


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Read what a command says until a line has `text` in it; that line."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"{text} was never said")


def ran(repo: Repo, *args: str, code: int = 0) -> list[str]:
    """Run `repro` and name the stages that ran, in the order in which they ended."""
    return [stage for stage, ending in endings(repo, *args, code=code).items() if ending == "ran"]


def settled(repo: Repo) -> None:
    """Nothing is left to run: what is not in place is restored, and then Git and Pivot find nothing to do."""
    assert ran(repo) == []
    said = repo.pivot("status").expect(0).out
    assert said.endswith("up to date.\n"), said
    assert repo.status() == ""
