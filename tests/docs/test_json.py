"""The schemas of the JSON page hold against what the commands write, key by key."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from pivot.cli.app import COMMANDS as ALL_COMMANDS
from pivot.cli.app import app
from pivot.cli.display import to_json
from tests.support.examples import DATA, HELPER
from tests.support.repository import Repo, strict_json
from tests.support.schema import schema_of, violations

SCHEMA = schema_of(Path(__file__).parents[2] / "docs" / "json.md")["$defs"]
ARGUMENTS = {"params diff": "HEAD~1", "diff": "HEAD~1..HEAD", "blame": "processed.json"}
COMMANDS = [name for name in SCHEMA if name not in ("reason", "run")]

EVENTS = {"repro", "watch"}  # whose events are on a page of their own

LIMITS = """

class Limits(pivot.StageParams):
    fill: float = float("nan")
    top: float = float("inf")
    deep: list = [{"low": float("-inf")}]

@pipeline.register
def limit(params: Limits) -> Annotated[int, pivot.Out("limit.json")]:
    return 1
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Two commits that were run, an edit of an output that was kept, and code that waits to be run."""
    made = Repo.init(tmp_path_factory.mktemp("json") / "project")
    made.write("data.json", DATA)
    made.write("pipeline.py", HELPER + LIMITS)
    made.commit("the example")
    made.pivot("repro").expect(0)
    made.write("processed.json", "[]")
    made.replace("pipeline.py", "value / top", "value / top + 1")
    made.replace("pipeline.py", 'top: float = float("inf")', 'top: float = float("-inf")')
    made.pivot("repro").expect(0)
    made.commit("more")
    made.pivot("repro").expect(0)
    made.replace("pipeline.py", "top + 1", "top + 2")
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_writes_what_the_page_says(repo: Repo, command: str) -> None:
    words = [*command.split(), *ARGUMENTS.get(command, "").split(), "--json"]
    written = repo.pivot(*words).json()
    assert list(violations(written, SCHEMA[command], SCHEMA)) == []


def test_every_command_with_json_is_on_a_page() -> None:
    context = click.Context(app)
    commands = {name: app.get_command(context, name) for name in ALL_COMMANDS}
    with_json = {name for name, one in commands.items() if one and any("--json" in p.opts for p in one.params)}
    assert with_json - EVENTS == {command.split(" -")[0].split()[0] for command in COMMANDS} - EVENTS


def test_floats_that_json_does_not_have_are_strings(repo: Repo) -> None:
    now = repo.pivot("params", "show", "limit", "--json").json()["stages"]["limit"]
    assert now == {"fill": "NaN", "top": "-Infinity", "deep": [{"low": "-Infinity"}]}
    (changed,) = repo.pivot("params", "diff", "HEAD~1", "--json").json()["params"]  # NaN is no change
    assert (changed["old"], changed["new"]) == ("Infinity", "-Infinity")


@pytest.mark.parametrize("value", ["\udce9", "\x9b", "\x7f", "é", '"', {"a": [float("nan"), (1.5, None)]}])
def test_whatever_is_printed_is_strict_json(value: object) -> None:
    written = to_json({"value": value})
    assert strict_json(written)["value"] == (value if isinstance(value, str) else {"a": ["NaN", [1.5, None]]})
    assert not set(written) & set("\x7f\x9b\udce9")
