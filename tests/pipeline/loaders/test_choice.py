"""The loader that a path and an annotated type call for."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pivot.pipeline.loaders import choice, describe
from tests.pipeline.project import Project


class DataFrame:
    """Stands for pandas' class, which is told by its name and its module."""


class Figure:
    pass


DataFrame.__module__ = "pandas.core.frame"
Figure.__module__ = "matplotlib.figure"

# (path, annotated type, loader)
CHOICES: list[tuple[str, Any, str]] = [
    ("a.json", dict, "JSON()"),
    ("a.JSON", dict[str, int], "JSON()"),
    ("a.jsonl", list, "JSONLines()"),
    ("a.yml", dict, "YAML()"),
    ("a.toml", dict, "TOML()"),
    ("a.csv", list, "CSV()"),
    ("a.csv", DataFrame, "CSV(frame='pandas')"),
    ("a.tsv", DataFrame, "CSV(sep='\\t', frame='pandas')"),
    ("a.parquet", DataFrame, "Parquet()"),
    ("a.txt", str, "Text()"),
    ("a.log", str, "Text()"),
    ("a.dat", bytes, "Bytes()"),
    ("a.npz", Any, "Numpy()"),
    ("a.png", Any, "Image()"),
    ("a.png", Figure, "Matplotlib()"),
    ("a.json", Path, "PathOnly()"),
    ("a", PurePosixPath, "PathOnly()"),
    ("data/", Any, "PathOnly()"),
]


@pytest.mark.parametrize(("path", "kind", "loader"), CHOICES)
def test_the_loader_follows_from_path_and_type(path: str, kind: Any, loader: str) -> None:
    assert describe(choice.infer_loader(path, kind)) == loader


def test_nothing_is_guessed_for_an_unknown_extension() -> None:
    assert choice.infer_loader("a.xyz", dict) is None


def test_a_given_loader_is_fitted_to_the_frame_that_is_annotated(project: Project) -> None:
    stage = project.stage(
        """
        class DataFrame: ...
        DataFrame.__module__ = "polars.dataframe.frame"
        def f(raw: Annotated[DataFrame, Dep("a.csv", loaders.CSV(sep=";"))]) -> None: ...
        pipeline.register(f)
        """
    )
    assert describe(stage.loaders["raw"]) == "CSV(sep=';', frame='polars')"
