"""Loaders: how a stage's values come from files and go into files.

A custom loader is any object with `load(path)`, `save(value, path)` or both, and `empty()` for `IncrementalOut`.
"""

from __future__ import annotations

from pivot.pipeline.loaders.arrays import Image, Matplotlib, Numpy
from pivot.pipeline.loaders.choice import describe
from pivot.pipeline.loaders.plain import Bytes, PathOnly, Pickle, Text
from pivot.pipeline.loaders.protocol import Loader, Reader, Writer
from pivot.pipeline.loaders.structured import JSON, TOML, YAML, JSONLines
from pivot.pipeline.loaders.tables import CSV, Feather, Parquet

__all__ = [
    "CSV",
    "JSON",
    "TOML",
    "YAML",
    "Bytes",
    "Feather",
    "Image",
    "JSONLines",
    "Loader",
    "Matplotlib",
    "Numpy",
    "Parquet",
    "PathOnly",
    "Pickle",
    "Reader",
    "Text",
    "Writer",
    "describe",
]
