"""Cores are counted as the container grants them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pivot.pool.cpus import usable_cores

ROWS = {
    "no groups": ({}, "", None),
    "no limit": ({"cpu.max": "max 100000\n"}, "0::/\n", None),
    "one core": ({"cpu.max": "100000 100000\n"}, "0::/\n", 1),
    "half a core": ({"cpu.max": "50000 100000\n"}, "0::/\n", 1),
    "a limit above": ({"a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}, "0::/a/b\n", 1),
    "another's limit": ({"other/cpu.max": "100000 100000"}, "0::/a\n", None),
    "version 1": ({"cpu/a/cpu.cfs_quota_us": "100000", "cpu/a/cpu.cfs_period_us": "100000"}, "4:cpu,cpuacct:/a\n", 1),
    "version 1, no limit": ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu:/\n", None),
    "nonsense": ({"cpu.max": "?"}, "0::/\n", None),
    "a group outside": ({"cpu.max": "max 1"}, "0::/../../up\n", None),
}


@pytest.mark.parametrize(("files", "membership", "cores"), ROWS.values(), ids=ROWS.keys())
def test_the_quota_of_a_container_counts(
    tmp_path: Path, files: dict[str, str], membership: str, cores: int | None
) -> None:
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "membership").write_text(membership)
    everything = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert usable_cores(tmp_path / "groups", tmp_path / "membership") == (cores or everything)
