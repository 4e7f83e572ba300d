"""Declaring a change harmless, and taking that back."""

from __future__ import annotations

from datetime import UTC, datetime

from pivot.errors import TargetError
from pivot.plan.decision import Action
from pivot.plan.planner import Planner
from pivot.plan.targets import unknown_stage
from pivot.run.session import Session
from pivot.state.accepted import Acceptance


def accept_change(session: Session, name: str, why: str) -> Acceptance:
    """Let the last result of a stage count for its present situation.

    Raises:
        TargetError: there is no such stage or no last result, an input is not known, or nothing has changed.
    """
    planner = _planner_with(session, name)
    decision = planner.decide(name)
    if decision.action in (Action.WAIT, Action.BLOCKED):
        raise TargetError(
            f"{name}: {decision.reasons[-1].text}, so its situation is not known",
            hint="Bring its upstreams up to date first.",
        )
    past = session.memory.previous(name)
    fingerprint = planner.situation(name).fingerprint
    if past is None:
        raise TargetError(f"{name} has no result that could count", hint=f"Run it: `git pivot repro {name}`.")
    if decision.action is not Action.RUN or past.record.fingerprint == fingerprint:
        raise TargetError(f"{name} is up to date: there is no change to accept", hint="`git pivot status` says why.")
    author = session.project.author
    acceptance = Acceptance(
        new=fingerprint,
        stage=name,
        fingerprint=past.record.fingerprint,
        result=past.record.result,
        who=f"{author.name} <{author.email}>",
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        why=why,
    )
    session.memory.accepted.add(acceptance, author)
    return acceptance


def revoke_acceptance(session: Session, name: str) -> Acceptance:
    """Take back what was accepted for a stage's present situation.

    Raises:
        TargetError: there is no such stage, or nothing was accepted for it as it is.
    """
    planner = _planner_with(session, name)
    planner.decide(name)
    found = session.memory.accepted.find(planner.situation(name).fingerprint)
    if found is None:
        raise TargetError(f"nothing is accepted for {name} as it is now", hint="`git pivot accept --list` shows all.")
    session.memory.accepted.revoke(found, session.project.author)
    return found


def _planner_with(session: Session, name: str) -> Planner:
    planner = session.planner()
    if name not in planner.stages:
        raise unknown_stage(name, planner.stages)
    return planner
