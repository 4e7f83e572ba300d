"""The head of the page: what was measured, where, and how to read it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.compare.peers import PEERS

HEAD = Path(__file__).parent / "head.md"


def head(versions: Mapping[str, str]) -> str:
    remarks = "\n".join(
        f"| {peer.name} | {versions[peer.name]} | {peer.remark} |" for peer in PEERS if peer.name in versions
    )
    return HEAD.read_text().format(machine=machine(), remarks=remarks)


def machine() -> str:
    """What it is, without saying whose."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (
        f"{_processor()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, Git {git}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
