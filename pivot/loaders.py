"""The loaders under the name that users know: `from pivot.loaders import JSON` as well as `pivot.loaders.JSON()`."""

from __future__ import annotations

from pivot.pipeline.loaders import *  # noqa: F403 - the same names, all of them
from pivot.pipeline.loaders import __all__ as __all__  # noqa: PLC0414 - handed on for type checkers
