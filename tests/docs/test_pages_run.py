"""Every page is followed to the letter: its files are written, its commands typed, and what they say is compared."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from tests.support.pages import UnreadablePage, read_page, with_definitions
from tests.support.reader import PageDiffers, follow

ROOT = Path(__file__).parents[2]
GENERATED = ("commands.md", "change-detection.md")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md") if (ROOT / name).exists()),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name not in GENERATED),
]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    folder = tmp_path / "reader"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_can_be_followed(page: Path, desk: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    read = read_page(page.read_text(encoding="utf-8"))
    if missing := [name for name in read.needs if importlib.util.find_spec(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    for name in read.fixtures:
        request.getfixturevalue(name)
    if "examples" in page.parts:
        shutil.copytree(page.parent, desk, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    follow(read, desk, tmp_path)


def followed(text: str, desk: Path) -> None:
    follow(read_page(text), desk, desk.parent)


def console(*lines: str) -> str:
    return "\n".join(["```console", *lines, "```\n"])


@pytest.mark.parametrize(
    "lines",
    [
        ("$ echo one", "one"),
        ("$ echo one; echo two", "..."),
        ("$ echo one; echo two; echo three", "one", "...", "three"),
        ("$ echo in 0.31 s: 0a1b2c3d", "in 12.00 s: 9f8e7d6c5b4a3921"),
        ("$ echo one two three", "one ... three"),
        ("$ mkdir a && cd a", "$ basename $PWD", "a"),
        ("$ false # exits with 1",),
        ("$ cat <<EOF", "> one", "> EOF", "one"),
        ("$ echo what is not shown is not compared",),
    ],
)
def test_what_is_as_it_is_shown_passes(lines: tuple[str, ...], desk: Path) -> None:
    followed(console(*lines), desk)


@pytest.mark.parametrize(
    "lines",
    [
        ("$ echo one", "two"),
        ("$ echo one; echo two", "one"),
        ("$ echo one", "one", "two"),
        ("$ echo one two three", "one ... four"),
        ("$ echo failed 1, took 0.31 s", "failed 2, took 0.31 s"),
        ("$ false",),
        ("$ true # exits with 1",),
        ("$ exit 0",),
    ],
)
def test_what_is_other_than_shown_is_seen(lines: tuple[str, ...], desk: Path) -> None:
    with pytest.raises(PageDiffers):
        followed(console(*lines), desk)


def test_files_are_written_edited_and_gone_on_with(desk: Path) -> None:
    page = "<!-- file: a.py -->\n```python\nONE = 1\n\ndef two():\n    return 2\n```\n"
    page += "<!-- edit: a.py -->\n```python\ndef two():\n    return 3\n```\n"
    page += "<!-- append: a.py -->\n```python\nprint(ONE, two())\n```\n" + console("$ python a.py", "1 3")
    followed(page, desk)


def test_python_examples_go_on_where_the_one_before_ended(desk: Path) -> None:
    followed("```python\na = 1\n```\ntext\n\n```python\nassert a == 1\n```\n", desk)
    with pytest.raises(PageDiffers, match="line 6"):
        followed("```python\na = 1\n```\ntext\n```python\nassert a == 2\n```\n", desk)


def test_a_block_is_left_out_with_a_reason_only(desk: Path) -> None:
    followed("<!-- not run: it would reach another machine -->\n" + console("$ false"), desk)
    with pytest.raises(UnreadablePage):
        followed("<!-- not run -->\n" + console("$ false"), desk)


@pytest.mark.parametrize("block", ["```sh\nls\n```", "```text\n$ ls\n```", "```text\ngit pivot repro\n```"])
def test_commands_cannot_hide_in_another_kind_of_block(block: str) -> None:
    with pytest.raises(UnreadablePage):
        read_page(f"{block}\n")


def test_an_edit_must_meet_what_it_edits() -> None:
    with pytest.raises(UnreadablePage, match="three is not defined"):
        with_definitions("def two():\n    return 2\n", "def three():\n    return 3\n")
