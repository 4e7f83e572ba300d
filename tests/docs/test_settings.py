"""Every setting that the code reads stands on the page of settings, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"^\| `((?:pivot|pivot-remote|remote)\.[^`]+)` \|", PAGE, re.MULTILINE))
GETTERS = {"get", "get_all", "get_bool", "get_choice", "get_int"}
# Keys that are put together from parts, by `schedule.resource_limits`, `sync.remote.config` and
# `git.plumbing.fetch_refspecs`.
OF_PARTS = {"pivot.resources.<name>", "pivot-remote.<name>.url", "remote.<name>.pivot"}
# Names in the code that stand for the first part of a key.
FIRST_PARTS = {"SECTION": "pivot-remote"}


def read_keys(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in GETTERS
            and node.args
        ):
            key = _text(node.args[0])
            if key.startswith(("pivot.", "pivot-remote.")):
                yield key


def _text(node: ast.expr) -> str:
    """A literal, with `<name>` for what an f-string fills in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        named = node.value.id if isinstance(node.value, ast.Name) else ""
        return FIRST_PARTS.get(named, "<name>")
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_every_setting_that_is_read_is_documented_and_every_documented_one_is_read() -> None:
    read = {key for path in (ROOT / "pivot").rglob("*.py") for key in read_keys(path.read_text(encoding="utf-8"))}
    assert len(read) > 15, "the package was not read"
    assert read | OF_PARTS == DOCUMENTED
