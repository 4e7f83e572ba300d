"""The cached analysis stands while all it read stands, and no longer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pivot.code.analysis.analyse import Analysis, analyse
from pivot.code.analysis.cache import check, load, save
from pivot.code.analysis.model import AnalysedStage, PipelineModel
from pivot.code.evidence import Evidence, runtime
from pivot.code.graph.manifest import Entry, Manifest, Remark
from pivot.pipeline.spec import ArtifactSpec, Location, StageSpec
from tests.code.catalogue.harness import write_project
from tests.code.catalogue.row import FOOT, HEAD

PIPELINE = """
import json, os, pathlib
from helpers import helper
HERE = pathlib.Path(__file__).parent
CONFIG = json.loads((HERE / "config.json").read_text())
PLUGINS = sorted(p.name for p in (HERE / "plugins").iterdir())
MODE = os.environ.get("MODE", "plain")
EXTRA = (HERE / "extra.txt").exists()
def a() -> A: return helper() + CONFIG["k"] + len(PLUGINS) + len(MODE) + EXTRA
def b() -> B: return 5
"""
FILES = {
    "pipeline.py": HEAD + PIPELINE + FOOT,
    "helpers.py": "import json\ndef helper(): return 1\n",
    "config.json": '{"k": 1}',
    "plugins/one.txt": "",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A project whose analysis has been kept."""

    root: Path
    cache: Path

    def load(self) -> PipelineModel | None:
        return load(self.cache, self.root, "pipeline.py")


def _analyse_and_keep(root: Path, cache: Path) -> None:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.chdir(root)
            save(cache, root, "pipeline.py", analyse(root, "pipeline.py"))
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    root, cache = tmp_path / "project", tmp_path / "cache"
    write_project(root, FILES)
    old = 1_600_000_000
    for path in [*root.rglob("*"), root]:
        os.utime(path, (old, old))
    _analyse_and_keep(root, cache)
    return Kept(root, cache)


def test_an_analysis_is_kept_whole(kept: Kept) -> None:
    model = kept.load()
    assert model is not None
    assert [stage.name for stage in model.stages] == ["a", "b"]
    assert all(stage.code == stage.manifest.digest() for stage in model.stages)
    assert model.environment == {"MODE": None}


def test_a_cached_analysis_imports_no_user_code(kept: Kept) -> None:
    kept.load()
    assert "helpers" not in sys.modules


CHANGES: dict[str, Callable[[Path], object]] = {
    "a module is edited": lambda root: (root / "helpers.py").write_text("import json\ndef helper(): return 2\n"),
    "a module is deleted": lambda root: (root / "helpers.py").unlink(),
    "a data file is edited": lambda root: (root / "config.json").write_text('{"k": 2}'),
    "a file is added to a listed folder": lambda root: (root / "plugins" / "two.txt").touch(),
    "a file that was asked for appears": lambda root: (root / "extra.txt").touch(),
    "a new module shadows a library": lambda root: (root / "json.py").touch(),
    "a new package shadows a module": lambda root: write_project(root, {"helpers/__init__.py": ""}),
    "an environment variable is set": lambda root: os.environ.update(MODE="fancy"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_analysis_falls_when_what_it_read_changes(
    kept: Kept, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "")
    monkeypatch.delenv("MODE")
    assert kept.load() is not None
    change(kept.root)
    assert kept.load() is None
    assert check(kept.cache, kept.root, "pipeline.py")


KEEPS: dict[str, Callable[[Path], object]] = {
    "a module is touched": lambda root: (root / "helpers.py").touch(),
    "an output is written": lambda root: (root / "clean.json").write_text("{}"),
    "an output folder is made": lambda root: (root / "out" / "deep").mkdir(parents=True),
    "an unrelated module appears": lambda root: (root / "other.py").touch(),
    "bytecode is written": lambda root: write_project(root, {"__pycache__/helpers.cpython-311.pyc": "x"}),
}


@pytest.mark.parametrize("change", KEEPS.values(), ids=KEEPS.keys())
def test_an_analysis_stands_when_nothing_that_it_read_changes(kept: Kept, change: Callable[[Path], object]) -> None:
    change(kept.root)
    assert kept.load() is not None
    assert check(kept.cache, kept.root, "pipeline.py") == ""


def test_an_edit_of_equal_size_and_time_is_seen(tmp_path: Path) -> None:
    root, cache = tmp_path / "project", tmp_path / "cache"
    write_project(root, FILES)
    path = root / "helpers.py"
    _analyse_and_keep(root, cache)
    told = path.stat()
    path.write_text(path.read_text().replace("return 1", "return 2"))
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert load(cache, root, "pipeline.py") is None


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:40] + b"x" + data[41:]]
)
def test_a_damaged_cache_is_a_miss(kept: Kept, damage: Callable[[bytes], bytes]) -> None:
    (path,) = (kept.cache / "code").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert kept.load() is None


def test_a_cache_that_is_not_there_is_a_miss(tmp_path: Path) -> None:
    assert load(tmp_path / "none", tmp_path, "pipeline.py") is None


def test_trace_says_why_the_cache_was_not_used(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept.root / "helpers.py").write_text("def helper(): return 3\n")
    monkeypatch.setenv("GIT_PIVOT_TRACE", "1")
    kept.load()
    assert "helpers.py" in capsys.readouterr().err


def test_an_import_that_runs_a_program_is_not_kept(tmp_path: Path) -> None:
    root, cache = tmp_path / "project", tmp_path / "cache"
    text = (
        "import subprocess\nK = subprocess.run(['true']).returncode\ndef a() -> A: return K\ndef b() -> B: return 5\n"
    )
    write_project(root, {"pipeline.py": HEAD + text + FOOT})
    _analyse_and_keep(root, cache)
    assert load(cache, root, "pipeline.py") is None


def test_a_kept_model_equals_the_one_that_was_made(tmp_path: Path) -> None:
    made = Manifest(
        (Entry("func:a", "0" * 32, "pipeline.py", 1, (("0", 0),), "def a(): ..."),),
        (Remark("coarse", "x", "f", 1, "y"),),
    )
    where = Location("pipeline.py", 1)
    spec = StageSpec(
        "a",
        "p",
        "pipeline.py",
        "",
        "a",
        where,
        (),
        (ArtifactSpec("x", "out", ("x",), "one", (), "JSON()", where),),
        {"k": 1.5},
    )
    model = PipelineModel(
        "pipeline.py", (AnalysedStage(spec, made, made.digest()),), (), {"numpy": "2"}, {"HOME": None}
    )
    save(tmp_path, tmp_path, "pipeline.py", Analysis(model, {}, Evidence(runtime(), 0)))
    kept = load(tmp_path, tmp_path, "pipeline.py")
    assert kept == model
    assert hash(kept.stages[0].manifest) == hash(made)


def _kept_of(tmp_path: Path, text: str) -> Kept:
    root, cache = tmp_path / "project", tmp_path / "cache"
    write_project(root, {"pipeline.py": HEAD + text + "\ndef b() -> B: return 5\n" + FOOT})
    _analyse_and_keep(root, cache)
    return Kept(root, cache)


LISTING = """
import os, pathlib
COUNT = sum(name.endswith(".cfg") for name in os.listdir(pathlib.Path(__file__).parent))
def a() -> A: return COUNT
"""


def test_what_the_stages_write_into_a_folder_that_the_import_lists_changes_nothing(tmp_path: Path) -> None:
    kept = _kept_of(tmp_path, LISTING)
    for name in ("a.json", "b.json", ".pivot-tmp-1-0a0a0a0a"):
        (kept.root / name).write_text("1")
    assert kept.load() is not None

    (kept.root / "one.cfg").write_text("")
    assert kept.load() is None


def test_a_variable_that_the_import_sets_is_not_read_from_outside(tmp_path: Path) -> None:
    text = (
        'import os\nos.environ["PIVOT_SET_HERE"] = "1"\nKEPT = os.environ["PIVOT_SET_HERE"]\ndef a() -> A: return KEPT'
    )
    model = _kept_of(tmp_path, text).load()
    assert model is not None
    assert "PIVOT_SET_HERE" not in model.environment


def test_a_variable_that_is_read_and_then_set_is_read_from_outside(tmp_path: Path) -> None:
    text = 'import os\nos.environ.setdefault("PIVOT_SET_HERE", "1")\ndef a() -> A: return 1'
    model = _kept_of(tmp_path, text).load()
    assert model is not None
    assert model.environment["PIVOT_SET_HERE"] is None
