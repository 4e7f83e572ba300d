"""Remembering that there was nothing to do, so that the next command need not find out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pivot.noop.cache import ELAPSED
from pivot.noop.collect import save_noop
from pivot.plan.decision import Decision
from pivot.plan.planner import Planner
from pivot.reports.remarks import remark_lines
from pivot.reports.run import totals
from pivot.reports.status import status_lines
from pivot.run.events import RunEnded
from pivot.run.git_exclude import is_excluded
from pivot.run.head_note import is_noted
from pivot.run.outputs import kept_paths
from pivot.run.selection import Selection
from pivot.run.session import Session


def remember_noop(session: Session, planner: Planner, made: int, seen: Sequence[str], *, ran: bool) -> None:
    """If every stage of the repository is up to date, keep what `repro` and `status` say of that.

    `planner` has decided nothing before `made`, which is the time (ns since the epoch) before this command read
    anything; `seen` says which outputs Git does not ignore; `ran` says that it was a run.
    """
    plan = planner.plan(planner.graph.order)
    if not plan.nothing_to_do or session.failures():
        return
    unignored = [f"warning: {text}" for text in seen]
    warnings = "".join(f"{line}\n" for line in (*remark_lines(session.model()), *unignored))
    status = "\n".join(status_lines(plan))
    texts = {"status": (f"{status}\n", warnings)}
    # A run has Git ignore the outputs, and notes HEAD: after a status both may still be to be done.
    done = ran or (is_noted(session.project, plan) and is_excluded(session.project, kept_paths(planner)))
    for folder in _folders(stage.spec.file for stage in planner.stages.values()) if done else ():
        names = Selection(folder=folder).apply(planner)
        texts[f"repro {folder}".rstrip()] = (_said([plan.decisions[name] for name in names]), warnings)
    save_noop(session, plan, made, texts)


def _folders(files: Iterable[str]) -> set[str]:
    """The folders that pipeline files stand in, and all above these."""
    found = {""}
    for file in files:
        folder = file.rpartition("/")[0]
        while folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _said(decisions: list[Decision]) -> str:
    """What `repro` says of stages that are up to date."""
    noticed = [f"{one.stage}: {text}\n" for one in decisions for text in one.warnings]
    said = totals(RunEnded({one.stage: "unchanged" for one in decisions}), elapsed=ELAPSED)
    return "".join(noticed) + f"{said}\n"
