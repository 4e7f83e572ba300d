"""Outputs made by hand as the result of a stage's situation, with the trail of who said so and why."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from pivot.code.analysis.model import AnalysedStage
from pivot.errors import TargetError
from pivot.plan.decision import Action
from pivot.plan.targets import unknown_stage
from pivot.run.outputs import Outputs
from pivot.run.recorder import Recorder, Result
from pivot.run.session import Session
from pivot.state.records import Info, Output, Record


def adopt_outputs(session: Session, name: str, why: str) -> Record:
    """Record what stands at the stage's output paths as its result.

    Raises:
        TargetError: there is no such stage, an input is not known yet, or an output is not there.
    """
    planner, project = session.planner(), session.project
    if name not in planner.stages:
        raise unknown_stage(name, planner.stages)
    decision = planner.decide(name)
    if decision.action in (Action.WAIT, Action.BLOCKED):
        raise TargetError(
            f"{name}: {decision.reasons[-1].text.lower()}, so its situation is not known",
            hint="Bring its upstreams up to date first.",
        )
    situation = planner.situation(name)
    outs = {}
    for artifact in situation.stage.spec.outs:
        for path in artifact.paths:
            if os.path.lexists(project.root / path):
                outs[path] = project.store.put(project.root / path, project.stats)
            elif "optional" not in artifact.flags:
                raise TargetError(f"{path} is not there", where=str(artifact.where), hint="Make it, then adopt again.")
    tree = project.store.put_tree(outs)
    record = situation.result({path: Output(out.id, out.mode, out.size) for path, out in outs.items()}, tree)
    recorder = Recorder(project, session.memory, "adopt")
    recorder.write(situation, Result(record, _info(session, situation.stage, why)))
    recorder.flush(now=True)
    session.memory.last.save()
    Outputs(project).exclude(planner)
    return record


def _info(session: Session, stage: AnalysedStage, why: str) -> Info:
    author = session.project.author
    return Info(
        stage=stage.name,
        entries=tuple((entry.name, entry.file, entry.line) for entry in stage.manifest.entries),
        seconds=0.0,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        host=platform.node(),
        python=platform.python_version(),
        user=f"{author.name} <{author.email}>",
        adopted=why,
    )
