"""Line endings that Git converts: such a work tree is clean for Git, and says nothing about the commit."""

from __future__ import annotations

import pytest

from tests.support.repository import Repo
from tests.support.stories import ran

PIPELINE = """
from typing import Annotated
import pivot
from pivot import Dep, Out

def one(x: Annotated[bytes, Dep("{dep}", {loader})]) -> Annotated[int, Out("one.json")]:
    return 1

def two(x: Annotated[int, Dep("one.json")]) -> Annotated[int, Out("two.json")]:
    return x

pipeline = pivot.Pipeline("p")
pipeline.register(one)
pipeline.register(two)
"""
DEPS = [("data/in.bin", "pivot.loaders.Bytes()"), ("data", "pivot.loaders.PathOnly()")]


def notes(repo: Repo) -> str:
    return repo.git("notes", "--ref=pivot", "show")


@pytest.mark.parametrize(("dep", "loader"), DEPS)
def test_converted_inputs_add_nothing_to_a_note_and_the_way_out_is_said(repo: Repo, dep: str, loader: str) -> None:
    repo.write("pipeline.py", PIPELINE.format(dep=dep, loader=loader))
    repo.write("data/in.bin", b"a\nb\n")
    repo.commit("start")
    assert "line endings" not in repo.pivot("repro").expect(0).out
    before = notes(repo)
    repo.git("config", "core.autocrlf", "true")
    (repo.path / "data/in.bin").unlink()
    repo.git("checkout", "--quiet", "data/in.bin")
    assert (repo.path / "data/in.bin").read_bytes() == b"a\r\nb\r\n"
    assert repo.status() == ""
    assert "Add `in.bin -text` to .gitattributes" in repo.pivot("repro").expect(0).out
    assert notes(repo) == before
    repo.pivot("verify").expect(0)


def test_an_attribute_that_names_the_line_ending_is_the_same_everywhere(repo: Repo) -> None:
    repo.write("pipeline.py", PIPELINE.format(dep=DEPS[0][0], loader=DEPS[0][1]))
    repo.write(".gitattributes", "*.bin text eol=crlf\n")
    repo.write("data/in.bin", b"a\r\nb\r\n")
    repo.commit("start")
    ran(repo)
    assert "unknown" not in notes(repo)
    repo.pivot("verify").expect(0)
