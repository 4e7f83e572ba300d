"""Drawings of the stages."""

from __future__ import annotations

import pytest

from tests.support.repository import Repo


def test_the_text_drawing_shows_what_needs_what(front_page: Repo) -> None:
    assert front_page.pivot("dag").expect(0).out == "╙── preprocess\n    └─╼ summarize\n"


def test_with_paths_the_files_stand_between_the_stages(front_page: Repo) -> None:
    said = front_page.pivot("dag", "--paths").expect(0).out
    assert [line.strip("╙─└╼ ") for line in said.splitlines()] == [
        "data.json", "preprocess", "clean.json", "summarize", "summary.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "line"),
    [("--mermaid", "    n0 --> n1"), ("--dot", '    "preprocess" -> "summarize";')],
)
def test_other_programs_forms(front_page: Repo, form: str, line: str) -> None:
    assert line in front_page.pivot("dag", form).expect(0).out.splitlines()


def test_json_names_upstreams_and_paths(front_page: Repo) -> None:
    stages = front_page.pivot("dag", "--json", "summarize").expect(0).json()["stages"]
    assert [(stage["stage"], stage["upstream"], stage["outs"]) for stage in stages] == [
        ("preprocess", [], ["clean.json"]),
        ("summarize", ["preprocess"], ["summary.json"]),
    ]
