"""Edges between stages follow from paths alone."""

from __future__ import annotations

import pytest

from pivot.errors import PipelineError
from pivot.graph import Graph, build_graph, find_producers
from tests.support.specs import spec


def graph(*specs) -> Graph:  # type: ignore[no-untyped-def]
    return build_graph(list(specs), find_producers(specs))


def test_a_stage_comes_after_the_one_whose_output_it_reads() -> None:
    found = graph(spec("b", deps=["x"], outs=["y"]), spec("a", outs=["x"]))
    assert found.order == ("a", "b")
    assert found.upstream == {"b": ("a",), "a": ()}


@pytest.mark.parametrize("dep", ["data", "data/part.csv", "data/deep/part.csv"])
def test_a_dep_equal_to_or_inside_a_directory_output_is_an_edge(dep: str) -> None:
    assert graph(spec("a", outs=["data"]), spec("b", deps=[dep])).upstream["b"] == ("a",)


def test_a_dep_above_several_outputs_needs_all_their_stages() -> None:
    found = graph(spec("a", outs=["all/a"]), spec("b", outs=["all/b"]), spec("c", deps=["all"]))
    assert found.upstream["c"] == ("a", "b")


@pytest.mark.parametrize("dep", ["dat", "data2", "data.csv", "x/data"])
def test_a_path_that_only_looks_alike_is_no_edge(dep: str) -> None:
    assert graph(spec("a", outs=["data"]), spec("b", deps=[dep])).upstream["b"] == ()


def test_a_cycle_is_an_error_that_shows_its_path() -> None:
    with pytest.raises(PipelineError, match=r"cycle: (a -> b -> a|b -> a -> b)") as error:
        graph(spec("a", deps=["y"], outs=["x"]), spec("b", deps=["x"], outs=["y"]))
    assert error.value.where == "pipeline.py:1"


def test_closures_follow_edges_both_ways() -> None:
    found = graph(spec("a", outs=["x"]), spec("b", deps=["x"], outs=["y"]), spec("c", deps=["y"]), spec("d"))
    assert found.with_upstreams(["b"]) == {"a", "b"}
    assert found.with_downstreams(["b"]) == {"b", "c"}


def test_an_incremental_output_is_no_cycle() -> None:
    assert graph(spec("a", incremental=["model"], outs=["model"])).upstream["a"] == ()
