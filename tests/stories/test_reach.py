"""Modules that only a run shows: they count from then on, on every machine, and cost no second run."""

from __future__ import annotations

from pathlib import Path

from tests.support.repository import Repo
from tests.support.stories import ran

PLUGINS = """
import importlib
from typing import Annotated
import pivot

def dynamic(name: Annotated[str, pivot.Dep("name.txt")]) -> Annotated[int, pivot.Out("out.json", pivot.loaders.JSON())]:
    return importlib.import_module("plug" + name.strip()).value()

def other() -> Annotated[int, pivot.Out("other.json", pivot.loaders.JSON())]:
    return 0

pipeline = pivot.Pipeline("plugins")
pipeline.register(dynamic)
pipeline.register(other)
"""


def plugins(repo: Repo) -> Repo:
    repo.write("name.txt", "in")
    repo.write("plugin.py", "from deeper import number\n\ndef value():\n    return number()\n")
    repo.write("deeper.py", "def number():\n    return 1\n")
    repo.write("plugout.py", "def value():\n    return 2\n")
    repo.write("pipeline.py", PLUGINS)
    repo.commit("plugins")
    return repo


def test_a_module_that_a_run_imported_costs_no_second_run(repo: Repo) -> None:
    assert sorted(ran(plugins(repo))) == ["dynamic", "other"]
    assert ran(repo) == []


def test_an_edit_of_what_only_runs_import_is_seen_however_deep(repo: Repo) -> None:
    ran(plugins(repo))
    repo.replace("deeper.py", "return 1", "return 10")
    assert ran(repo) == ["dynamic"]
    assert repo.read("out.json").strip() == "10"
    assert ran(repo) == []
    repo.replace("plugout.py", "return 2", "return 20")
    assert ran(repo) == []


def test_other_data_may_lead_to_other_modules(repo: Repo) -> None:
    ran(plugins(repo))
    repo.write("name.txt", "out")
    assert ran(repo) == ["dynamic"]
    repo.replace("plugout.py", "return 2", "return 20")
    assert ran(repo) == ["dynamic"]
    repo.replace("deeper.py", "return 1", "return 10")
    assert ran(repo) == []


def test_another_clone_knows_them_from_the_start(repo: Repo, tmp_path: Path) -> None:
    ran(plugins(repo))
    other = repo.clone(tmp_path / "clone")
    other.pivot("init").expect(0)
    other.git("fetch", "--quiet")
    other.replace("deeper.py", "return 1", "return 10")
    stages = {one["stage"]: one for one in other.pivot("status", "--json").expect(0).json()["stages"]}
    assert [reason["why"] for reason in stages["dynamic"]["reasons"]] == ["code changed"]
    assert [change["name"] for change in stages["dynamic"]["reasons"][0]["changes"]] == ["module:deeper.py"]


SCRIPTS = """\
import runpy
from importlib.util import module_from_spec, spec_from_file_location
from typing import Annotated
import pivot
Name = Annotated[str, pivot.Dep('name.txt')]
def execute(n: Name) -> Annotated[int, pivot.Out('executed.json')]:
    names = {}
    exec(open(f'executed{n.strip()}.py').read(), names)
    return names['r']
def load(n: Name) -> Annotated[int, pivot.Out('loaded.json')]:
    spec = spec_from_file_location('other', f'loaded{n.strip()}.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.r
def run(n: Name) -> Annotated[int, pivot.Out('run.json')]:
    return runpy.run_path(f'run{n.strip()}.py')['r']
pipeline = pivot.Pipeline('scripts')
for stage in (execute, load, run):
    pipeline.register(stage)
"""


def test_a_script_whose_name_only_a_run_knows_counts_from_then_on(repo: Repo) -> None:
    for script in ("executed1.py", "loaded1.py", "run1.py"):
        repo.write(script, "r = 1\n")
    repo.write("pipeline.py", SCRIPTS)
    repo.write("name.txt", "1")
    assert sorted(ran(repo)) == ["execute", "load", "run"]
    for script in ("executed1.py", "loaded1.py", "run1.py"):
        repo.replace(script, "r = 1", "r = 2")
    assert sorted(ran(repo)) == ["execute", "load", "run"]
    assert {repo.read(f"{name}.json").strip() for name in ("executed", "loaded", "run")} == {"2"}


def test_the_changed_lines_of_a_module_that_only_runs_import_are_shown(repo: Repo) -> None:
    ran(plugins(repo))
    repo.replace("deeper.py", "return 1", "return 10")
    said = repo.pivot("status", "--diff", "dynamic").out
    assert "module:deeper.py" in said
    assert "-    return 1\n" in said
    assert "+    return 10" in said
