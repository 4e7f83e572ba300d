"""A handful of the trials of `make torture`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture import kill
from tests.torture.project import Project
from tests.torture.trial import torture

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


def test_nothing_is_lost_or_left_when_commands_are_killed(tmp_path: Path) -> None:
    project, chance, windows = Project(tmp_path), random.Random(1), kill.Windows()
    trials = [torture(project, chance, windows, command) for command in ("repro", "switch", "repro", "switch")]
    assert [trial.kind == "measured" for trial in trials] == [True, True, False, False]


def test_a_process_that_outlives_its_trial_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill, "_PATIENCE", 0.1)
    with subprocess.Popen(["sleep", "60"], env={"PATH": "/usr/bin:/bin", kill.MARK: "stray"}) as left:
        try:
            with pytest.raises(AssertionError, match="sleep 60"):
                kill.wait_for_end("stray")
        finally:
            left.kill()
    kill.wait_for_end("stray")
