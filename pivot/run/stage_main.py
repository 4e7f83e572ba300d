"""`python -P -m pivot.run.stage_main PARENT RESULT SETUP ORDER`: import the pipeline file, run one stage, end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from pivot.code.project_files import ProjectFiles
from pivot.run.isolation import die_with_parent, keep_orphans, move_high
from pivot.run.nursery import Ready, run_order
from pivot.run.observe import Observer
from pivot.run.pristine import Snapshot
from pivot.run.protocol import ImportFailed, RunStage, Setup, StageFailed, encode
from pivot.run.server import import_pipeline, prepare_output
from pivot.run.spawned import read_argument


def main(parent: int, result: int, setup: Setup, order: RunStage) -> NoReturn:
    """Run the stage and end the process."""
    die_with_parent(parent)
    keep_orphans()
    result = move_high(result)
    observer, ours = Observer(ProjectFiles(Path(setup.root))), Snapshot()
    analysis = import_pipeline(setup, ours)
    if isinstance(analysis, ImportFailed):
        os.write(
            result, encode(StageFailed("import", "its pipeline file cannot be imported", analysis.message, [], 0.0))
        )
        sys.stdout.flush()
        os._exit(0)
    user = ours.patches()
    ours.restore()
    observer.prepare()
    stages = {stage.name: stage for stage in analysis.model.stages}
    run_order(Ready(setup, analysis, stages, "spawn", user, ours, observer), order, result)


if __name__ == "__main__":
    prepare_output()
    _, parent_text, result_text, setup_text, order_text = sys.argv
    main(
        int(parent_text),
        int(result_text),
        read_argument(setup_text, Setup),
        read_argument(order_text, RunStage),
    )
