"""`python -P -m pivot.worker.spawn_main PARENT RESULT SETUP ORDER`: import the pipeline file, run one stage, end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from pivot.code.analysis.cache import standing
from pivot.code.evidence import digest_of_bytes
from pivot.code.importing.project_files import ProjectFiles
from pivot.code.importing.source_importer import ModuleSource
from pivot.worker.access_tracer import AccessTracer
from pivot.worker.fork_server import import_pipeline, prepare_output
from pivot.worker.interpreter_state import STAGE_MODULES, NamespaceSnapshot
from pivot.worker.process_setup import die_with_parent, flush_output, keep_orphans, move_high
from pivot.worker.protocol import ImportFailed, RunStage, Setup, StageFailed, encode
from pivot.worker.spawn import read_argument
from pivot.worker.stage_runner import ProcessBaseline, StageTask, answer_moved, run_stage


def main(parent: int, result: int, setup: Setup, order: RunStage) -> NoReturn:
    """Run the stage and end the process."""
    die_with_parent(parent)
    keep_orphans()
    result = move_high(result)
    observer, ours = AccessTracer(ProjectFiles(Path(setup.root), setup.outside)), NamespaceSnapshot(STAGE_MODULES)
    opened = import_pipeline(setup, ours)
    if isinstance(opened, ImportFailed):
        failed = StageFailed("import", "its pipeline file cannot be imported", opened.message, [], 0.0)
        os.write(result, encode(failed))
        flush_output()
        os._exit(0)
    user = ours.patches()
    ours.restore()
    observer.prepare()
    imported, stages = opened
    live = stages.get(order.stage)
    if live is None or (order.code and _has_changed(setup, imported.importer.by_path.values())):
        answer_moved(order, result)
    spec = live.to_spec(Path(setup.root), setup.file, order.stage)
    run_stage(StageTask(setup, order, live, spec, observer, result), ProcessBaseline(setup.root, [spec], user, ours))


def _has_changed(setup: Setup, sources: Iterable[ModuleSource]) -> bool:
    """Whether a module was read with other bytes than the analysis that the command decided on had read.

    Walking the code again would tell the same, and would make each stage pay for all stages of the file.
    """
    evidence = standing(Path(setup.cache), Path(setup.root), setup.file) if setup.cache else None
    if evidence is None:
        return False
    seen = evidence.files
    return any(one.path in seen and seen[one.path].digest != digest_of_bytes(one.data) for one in sources)


if __name__ == "__main__":
    prepare_output()
    _, parent_text, result_text, setup_text, order_text = sys.argv
    main(
        int(parent_text),
        int(result_text),
        read_argument(setup_text, Setup),
        read_argument(order_text, RunStage),
    )
