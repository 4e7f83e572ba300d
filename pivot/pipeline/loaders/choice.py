"""Which loader a path and a type call for, and how a loader is described in a record."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath, PurePosixPath
from typing import Any, get_origin

from pivot.pipeline.loaders.arrays import Image, Matplotlib, Numpy
from pivot.pipeline.loaders.plain import Bytes, PathOnly, Pickle, Text
from pivot.pipeline.loaders.structured import JSON, TOML, YAML, JSONLines
from pivot.pipeline.loaders.tables import CSV, Feather, Parquet, frame_library

SHIPPED = (
    PathOnly, JSON, JSONLines, YAML, TOML, CSV, Text, Bytes, Pickle, Parquet, Feather, Numpy, Image, Matplotlib,
)  # fmt: skip

BY_EXTENSION = {
    ".json": JSON(),
    ".jsonl": JSONLines(),
    ".ndjson": JSONLines(),
    ".yaml": YAML(),
    ".yml": YAML(),
    ".toml": TOML(),
    ".csv": CSV(),
    ".tsv": CSV(sep="\t"),
    ".txt": Text(),
    ".md": Text(),
    ".bin": Bytes(),
    ".pkl": Pickle(),
    ".pickle": Pickle(),
    ".parquet": Parquet(),
    ".feather": Feather(),
    ".npy": Numpy(),
    ".npz": Numpy(),
    ".png": Image(),
    ".jpg": Image(),
    ".jpeg": Image(),
}


def infer_loader(path: str, kind: Any) -> Any:
    """The loader for a path without one, `kind` being the annotated type; None where nothing says it.

    A value that is a path, and a directory, are never opened by Pivot; else the extension decides, else the type.
    """
    origin = get_origin(kind) or kind
    if path.endswith("/") or (isinstance(origin, type) and issubclass(origin, PurePath)):
        return PathOnly()
    if isinstance(kind, type) and kind.__name__ == "Figure" and kind.__module__.startswith("matplotlib"):
        return Matplotlib()
    plain = path.partition("?")[0].partition("#")[0] if "://" in path else path
    found: Any = BY_EXTENSION.get(PurePosixPath(plain).suffix.lower())
    if found is None:
        return Text() if origin is str else Bytes() if origin is bytes else None
    return fit_loader(found, kind)


def fit_loader(loader: Any, kind: Any) -> Any:
    """The same loader for the kind of data frame that the annotation names."""
    library = frame_library(kind)
    if library is None or not isinstance(loader, CSV | Parquet | Feather):
        return loader
    return dataclasses.replace(loader, frame=library)


def describe(loader: Any) -> str:
    """A shipped loader with the settings that differ from their defaults (`CSV(sep=';')`), a custom one's class name.

    The code and the settings of a custom loader stand in the stage's manifest.
    """
    kind = type(loader)
    if kind not in SHIPPED:
        return str(kind.__qualname__)
    settings = [
        f"{field.name}={getattr(loader, field.name)!r}"
        for field in dataclasses.fields(loader)
        if getattr(loader, field.name) != field.default
    ]
    return f"{kind.__name__}({', '.join(settings)})"
