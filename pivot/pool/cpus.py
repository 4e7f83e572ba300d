"""How many cores this process may use: affinity, and the CPU quota of the container (cgroup v2 and v1)."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


def usable_cores(groups: Path = _GROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """At least 1; a quota of 1.5 cores counts as 2."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = [quota for folder in _folders(groups, membership) if (quota := _quota(folder)) is not None]
    return max(1, min([cores, *(math.ceil(quota) for quota in quotas)]))


def _folders(groups: Path, membership: Path) -> list[Path]:
    """The control groups that this process is in, up to the root: any of them may limit it."""
    found = [groups, groups / "cpu"]
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "cpu", "cpu,cpuacct", "cpuacct,cpu"):
            continue
        here = (groups / "cpu" if controllers else groups) / path.lstrip("/")
        found += [here, *here.parents]
    return [folder for folder in dict.fromkeys(found) if folder.is_relative_to(groups) and ".." not in folder.parts]


def _quota(folder: Path) -> float | None:
    """Cores that a control group grants; None when it sets no limit."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
            return None if quota == "max" else int(quota) / int(period)
        limit = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        return None if limit <= 0 else limit / int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
    except (OSError, ValueError, ZeroDivisionError):
        return None
