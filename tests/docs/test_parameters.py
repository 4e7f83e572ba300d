"""The page on parameters and variants, done as it is written."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from tests.support.repository import Repo
from tests.support.stories import ran

PAGE = (Path(__file__).parents[2] / "docs" / "parameters.md").read_text(encoding="utf-8")
(PIPELINE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(PARAMS,) = re.findall(r"^ +```yaml\n(.*?)^ +```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_runs_and_takes_the_params_file(repo: Repo) -> None:
    repo.write("pipeline.py", PIPELINE)
    assert len(ran(repo)) == 7
    assert repo.read("best.txt") == "linear with seed 2\n"
    repo.write("params.yaml", textwrap.dedent(PARAMS))
    said = repo.pivot("params", "diff").expect(0).out
    assert "train@model=linear,seed=0.lr: 0.1 -> 0.5" in said
    assert said.count("0.1 -> 0.001") == 5
