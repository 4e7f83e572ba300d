"""The fixtures of repositories, opened in each way that Pivot can open one."""

from __future__ import annotations

from tests.support.backends import author, backend, location, made, nobody, way

__all__ = ["author", "backend", "location", "made", "nobody", "way"]
