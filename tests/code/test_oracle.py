"""What a stage really executes is in its manifest, and what an edit really changes runs: over random projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.code import generated
from tests.code.catalogue.harness import look, write_project
from tests.support.slow import slow_unless

PROJECTS = 300
EDITS = 60
BATCH = 30


@pytest.mark.parametrize("batch", slow_unless(range(PROJECTS // BATCH), lambda batch: batch == 0))
def test_no_function_runs_that_the_manifest_lacks(batch: int, tmp_path: Path) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        root = tmp_path / str(seed)
        write_project(root, generated.project(seed))
        seen = look(root, trace=True)
        assert seen.executed["a"], "the oracle saw nothing"
        assert seen.uncovered == [], f"seed {seed}"


@pytest.mark.parametrize("batch", slow_unless(range(EDITS // BATCH), lambda batch: batch == 0))
def test_an_edit_that_changes_a_result_reruns_the_stage(batch: int, tmp_path: Path) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        before = generated.project(seed)
        after = generated.edit(before, seed)
        for name, files in (("before", before), ("after", after)):
            write_project(tmp_path / str(seed) / name, files)
        old, new = look(tmp_path / str(seed) / "before", run=True), look(tmp_path / str(seed) / "after", run=True)
        differs = {stage for stage in "ab" if old.results[stage] != new.results[stage]}
        runs = {stage for stage in "ab" if old.codes[stage] != new.codes[stage]}
        assert differs <= runs, f"seed {seed} is stale"
        if not any("    import " in text or "    from " in text for text in before.values()):
            # A module imported while the stage runs counts with all that its import does.
            assert runs <= differs, f"seed {seed} runs without need"
