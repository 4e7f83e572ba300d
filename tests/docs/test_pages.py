"""What the README, the documentation and the man page say is what is there."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

import pivot
from pivot.cli.app import COMMANDS
from tests.support.examples import DATA, FRONT_PAGE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Read where they stand, and not as part of the site, whose build looks at the links of its own pages.
OUTSIDE = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs" / "examples").glob("*/README.md"))]
API = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def listed(section: str) -> set[str]:
    """The names in the first columns of the tables of a section of the API page."""
    text = re.split(rf"^## {section}$", API, flags=re.MULTILINE)[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_the_front_page_shows_the_example_that_the_stories_run() -> None:
    assert blocks(README, "python") == [FRONT_PAGE.lstrip("\n")]
    assert blocks(README, "json") == [DATA.lstrip("\n")]


def test_the_front_page_is_short() -> None:
    assert README.count("\n") < 120


def test_the_front_page_links_to_files_that_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(links) > 3
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_outside_the_site_links_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_signatures_on_the_api_page_are_those_of_the_code() -> None:
    shown = re.findall(r"`([A-Z][\w.]+)\(([^)\"]*)\)`", API)
    assert {place for place, _ in shown} >= {"Pipeline", "Pipeline.include", "Dep", "ExternalDep", "Out"}
    for place, arguments in shown:
        if place != "Pipeline.register":  # it takes them as `**options`
            assert parameters(attrgetter(place)(pivot)) == declared(arguments), place


def declared(arguments: str) -> list[tuple[str, object]]:
    shown = ast.parse(f"lambda {arguments}: 0", mode="eval").body
    assert isinstance(shown, ast.Lambda)
    plain, named = shown.args.args, shown.args.kwonlyargs
    defaults = [None] * (len(plain) - len(shown.args.defaults)) + [*shown.args.defaults, *shown.args.kw_defaults]
    return [
        (one.arg, inspect.Parameter.empty if default is None else ast.literal_eval(default))
        for one, default in zip([*plain, *named], defaults, strict=True)
    ]


def parameters(thing: object) -> list[tuple[str, object]]:
    told = inspect.signature(thing).parameters.values()  # type: ignore[arg-type]
    return [(one.name, one.default) for one in told if one.name != "self"]


def test_the_public_names_are_those_of_the_api_page() -> None:
    assert set(pivot.__all__) - {"loaders"} == listed("Stages and pipelines") | listed("Artifacts")
    assert set(pivot.loaders.__all__) == listed("Loaders")


@pytest.mark.parametrize("module", [pivot, pivot.loaders], ids=["pivot", "pivot.loaders"])
def test_every_public_name_is_there(module: object) -> None:
    assert [name for name in module.__all__ if not hasattr(module, name)] == []  # type: ignore[attr-defined]


def test_the_change_detection_matrix_is_what_the_table_of_the_tests_says() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "matrix.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "make reference"


def test_the_pages_of_the_commands_are_what_the_commands_say() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^## (\w+)$", COMMANDS_PAGE, re.MULTILINE)) == COMMANDS.keys()
