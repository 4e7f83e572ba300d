"""The benchmark harness measures in turn, and refuses a command that did not do its work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.ratios import Sample, Workload, WorkloadFailed, alternate, measure, ratio, table


def appending(name: str, folder: Path) -> Workload:
    return Workload(name, [sys.executable, "-c", f"open('order', 'a').write('{name}')"], folder)


def test_workloads_are_measured_in_turn_after_one_round_that_does_not_count(tmp_path: Path) -> None:
    samples = alternate([appending("a", tmp_path), appending("b", tmp_path)], rounds=3)
    assert (tmp_path / "order").read_text() == "abababab"
    assert [len(runs) for runs in samples.values()] == [3, 3]


def test_the_time_of_children_counts(tmp_path: Path) -> None:
    spin = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"
    assert measure(Workload("parent", [sys.executable, "-c", parent], tmp_path)).cpu >= 0.2


def test_a_command_compiles_modules_once_whatever_the_shell_asks_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "module.py").touch()
    measure(Workload("import", [sys.executable, "-c", "import module"], tmp_path))
    assert list(tmp_path.glob("__pycache__/module*.pyc"))


def test_a_command_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(WorkloadFailed, match="exit 3"):
        measure(Workload("broken", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path))


def test_ratios_are_of_medians() -> None:
    samples = {"floor": [Sample(1, 1), Sample(1, 1), Sample(9, 9)], "ours": [Sample(2, 1), Sample(3, 1), Sample(3, 1)]}
    assert ratio(samples, "ours", "floor") == 3
    assert "| ours | 3000.0 | 3.00 | 1000.0 | 1.00 | 2000.0 to 3000.0 |" in table(samples, "floor")
