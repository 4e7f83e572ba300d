"""The page on many pipelines, done as it is written: each console block in turn, in a copy of the example."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.repository import Repo
from tests.support.stories import ran

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "monorepos.md").read_text(encoding="utf-8")
EXAMPLE = DOCS / "examples" / "monorepo"
BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(INCLUDING,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def steps(block: str) -> list[tuple[str, str]]:
    """Pairs of a command and what it says."""
    return [(command, said) for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)]


def say(repo: Repo, command: str) -> str:
    """What a command of the page says, without what differs between two runs: times, and where the repository is."""
    text = command.replace("git pivot", f"{sys.executable} -P -m pivot")
    done = subprocess.run(
        text, shell=True, cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return without_times(done.stdout.replace(f"{repo.path}/", ""))


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d\d s\b", "TIME", text)


def test_every_command_says_what_the_page_says(repo: Repo) -> None:
    shutil.copytree(EXAMPLE, repo.path, dirs_exist_ok=True)
    repo.commit("three teams")
    found = [step for block in BLOCKS for step in steps(block)]
    assert len(found) > 10
    assert [(command, say(repo, command)) for command, _ in found] == [
        (one, without_times(said)) for one, said in found
    ]


def test_the_pipeline_made_of_others_runs(repo: Repo) -> None:
    repo.write("pipeline.py", INCLUDING)
    for region in ("africa", "asia"):
        repo.write(f"{region}/raw.txt", f" {region}\n")
    assert sorted(ran(repo)) == ["africa/load", "asia/load"]
    assert repo.read("asia/clean.txt") == "asia"
