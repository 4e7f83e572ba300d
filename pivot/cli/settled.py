"""Remembering that there was nothing to do, so that the next command need not find out again."""

from __future__ import annotations

from pivot.plan.settled import ELAPSED
from pivot.reports.remarks import remark_lines
from pivot.reports.run import totals
from pivot.reports.status import status_lines
from pivot.run.events import RunEnded
from pivot.run.excluding import seen_by_git
from pivot.run.outputs import kept_paths
from pivot.run.session import Session
from pivot.run.settling import keep_settled


def remember_settled(session: Session, made: int) -> None:
    """If every stage of the repository is up to date, keep what `repro` and `status` say of that.

    `made` is the time (ns since the epoch) before this command read anything.
    """
    planner = session.planner()
    plan = planner.plan(planner.graph.order)
    if not plan.settled or session.failures():
        return
    noticed = [f"{one.stage}: {text}\n" for one in plan.decisions.values() for text in one.warnings]
    unignored = [f"warning: {text}" for text in seen_by_git(session.project, kept_paths(planner))]
    warnings = "".join(f"{line}\n" for line in (*remark_lines(session.model()), *unignored))
    said = totals(RunEnded(dict.fromkeys(plan.decisions, "unchanged")), elapsed=ELAPSED)
    status = "\n".join(status_lines(plan))
    texts = {"repro": ("".join(noticed) + f"{said}\n", warnings), "status": (f"{status}\n", warnings)}
    keep_settled(session, plan, made, texts)
