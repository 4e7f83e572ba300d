"""The fixtures of a project and the workers that run its stages."""

from __future__ import annotations

from tests.support.workers import bench, make_bench

__all__ = ["bench", "make_bench"]
