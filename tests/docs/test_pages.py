"""What the README, the documentation and the man page say is what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pivot
from pivot.cli.app import COMMANDS
from pivot.pipeline.loaders.choice import BY_EXTENSION, SHIPPED
from tests.support.examples import DATA, FRONT_PAGE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Read where they stand, and not as part of the site, whose build looks at the links of its own pages.
OUTSIDE = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs" / "examples").glob("*/README.md"))]
API = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
LOADERS = (ROOT / "docs" / "loaders.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(\w+)\(")
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


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


def test_the_api_page_is_what_the_docstrings_say() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "api.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "make reference"


def test_the_api_page_has_every_public_name() -> None:
    public = [*pivot.__all__, *pivot.loaders.__all__]
    assert sorted(re.findall(r"^### (\w+)$", API, re.MULTILINE)) == sorted(set(public) - {"loaders"})


def test_the_page_of_loaders_tells_which_one_an_extension_calls_for() -> None:
    rows = [row.split("|") for row in LOADERS.splitlines() if row.startswith("| `")]
    told = {
        (extension, name)
        for row in rows
        for extension in re.findall(r"`(\.\w+)`", row[2])
        for name in NAMED.findall(row[1])
    }
    assert {name for row in rows for name in NAMED.findall(row[1])} == {kind.__name__ for kind in SHIPPED}
    assert {(extension, type(loader).__name__) for extension, loader in BY_EXTENSION.items()} <= told
    assert {extension for extension, _ in told} == BY_EXTENSION.keys()


@pytest.mark.parametrize("module", [pivot, pivot.loaders], ids=["pivot", "pivot.loaders"])
def test_every_public_name_is_there(module: object) -> None:
    assert [name for name in module.__all__ if not hasattr(module, name)] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("script", ["matrix.py", "states.py"])
def test_a_table_that_is_made_from_the_code_is_up_to_date(script: str) -> None:
    check = [sys.executable, str(ROOT / "scripts" / script), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "make reference"


def test_the_pages_of_the_commands_are_what_the_commands_say() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^## (\w+)$", COMMANDS_PAGE, re.MULTILINE)) == COMMANDS.keys()
