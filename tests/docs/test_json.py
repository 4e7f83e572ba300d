"""The schemas of the JSON page hold against what the commands write, key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.examples import DATA, HELPER
from tests.support.repository import Repo
from tests.support.schema import schema_of, violations

SCHEMA = schema_of(Path(__file__).parents[2] / "docs" / "json.md")["$defs"]
ARGUMENTS = {"params diff": "HEAD~1", "diff": "HEAD~1..HEAD", "blame": "processed.json"}
COMMANDS = [name for name in SCHEMA if name not in ("reason", "run")]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Two commits that were run, an edit of an output that was kept, and code that waits to be run."""
    made = Repo.init(tmp_path_factory.mktemp("json") / "project")
    made.write("data.json", DATA)
    made.write("pipeline.py", HELPER)
    made.commit("the example")
    made.pivot("repro").expect(0)
    made.write("processed.json", "[]")
    made.replace("pipeline.py", "value / top", "value / top + 1")
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
