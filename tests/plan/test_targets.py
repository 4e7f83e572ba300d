"""From what the user types to stages."""

from __future__ import annotations

import pytest

from pivot.errors import TargetError
from pivot.graph import build_graph, find_producers
from pivot.plan.targets import select
from tests.support.specs import spec

SPECS = [
    spec("clean", outs=["data/clean.csv"]),
    spec("train", deps=["data/clean.csv"], outs=["model"]),
    spec("plot", deps=["model"], outs=["plot.png"]),
    spec("sub/train", outs=["sub/model"]),
]
GRAPH = build_graph(SPECS, find_producers(SPECS))


@pytest.mark.parametrize(
    ("target", "folder", "stages"),
    [
        ("train", "", ["train"]),
        ("data/clean.csv", "", ["clean"]),
        ("clean.csv", "data", ["clean"]),
        ("../plot.png", "data", ["plot"]),
        ("*train", "", ["train", "sub/train"]),
        ("*.png", "", ["plot"]),
        ("train+", "", ["train", "plot"]),
        ("clean+", "", ["clean", "train", "plot"]),
        ("sub/train", "", ["sub/train"]),
    ],
)
def test_a_target_names_stages(target: str, folder: str, stages: list[str]) -> None:
    assert sorted(select([target], SPECS, GRAPH, folder)) == sorted(stages)


def test_an_unknown_target_names_the_closest() -> None:
    with pytest.raises(TargetError, match="no stage, output, folder or glob matches trian") as error:
        select(["trian"], SPECS, GRAPH)
    assert error.value.hint == "Did you mean train?"
