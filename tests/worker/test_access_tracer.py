"""What a stage reads while it runs is told with its result."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.workers import Bench

READS = {
    "open": "open('extra.csv').read()",
    "pathlib": "pathlib.Path('extra.csv').read_bytes()",
    "os.open": "os.close(os.open('extra.csv', os.O_RDONLY))",
    "absolute": "open(os.path.abspath('extra.csv')).read()",
    "from another folder": "os.chdir('/'); open(HERE + '/extra.csv').read()",
    "sqlite": "import sqlite3; sqlite3.connect('extra.csv').close()",
    "bytes path": "open(b'extra.csv').read()",
}


@pytest.mark.parametrize("body", READS.values(), ids=READS.keys())
def test_a_file_that_is_read_and_not_declared_is_told(bench: Bench, body: str) -> None:
    (bench.root / "extra.csv").write_text("")
    bench.stage(f"{body}\nreturn ''", "HERE = os.getcwd()")
    assert bench.done().undeclared == ("reads extra.csv (pipeline.py:11)",)


NO_READS = {
    "its output": "pathlib.Path('out.txt').write_text('x'); open('out.txt').read()",
    "its own scratch file": "p = pathlib.Path('scratch'); p.write_text('x'); p.read_text(); p.unlink()",
    "a file outside": "open('/etc/passwd').read()",
    "a file that is not there": "os.path.exists('gone') or [open(n) for n in []]",
    "a source file": "import linecache; linecache.getlines(__file__)",
    "a failed open": "\ntry: open('gone')\nexcept FileNotFoundError: pass",
}


@pytest.mark.parametrize("body", NO_READS.values(), ids=NO_READS.keys())
def test_reads_that_say_nothing_about_inputs_are_not_told(bench: Bench, body: str) -> None:
    bench.stage(f"{body}\nreturn ''")
    assert bench.done().undeclared == ()


def test_declared_inputs_are_not_told(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("a")
    (bench.root / "folder").mkdir()
    (bench.root / "folder" / "b.txt").write_text("b")
    bench.write(
        """
        @pipeline.register
        def work(
            a: Annotated[str, pivot.Dep("a.txt", pivot.loaders.Text())],
            folder: Annotated[pathlib.Path, pivot.Dep("folder", pivot.loaders.PathOnly())],
        ) -> Text:
            return a + (folder / "b.txt").read_text()
        """
    )
    ending = bench.done()
    assert bench.read() == "ab"
    assert ending.undeclared == ()


VARIABLES = {
    "os.environ[]": ("os.environ['COLOUR']", "blue"),
    "get": ("os.environ.get('COLOUR')", "blue"),
    "getenv": ("os.getenv('COLOUR')", "blue"),
    "in": ("'COLOUR' in os.environ", "blue"),
    "not set": ("os.getenv('NOT_SET', 'x')", None),
}


@pytest.mark.parametrize(("body", "value"), VARIABLES.values(), ids=VARIABLES.keys())
def test_variables_that_are_read_are_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, body: str, value: str | None
) -> None:
    monkeypatch.setenv("COLOUR", "blue")
    bench.stage(f"{body}; return ''")
    name = "COLOUR" if value else "NOT_SET"
    assert bench.done().environment == {name: value}


def test_variables_that_the_project_sets_are_not_read_from_outside(bench: Bench) -> None:
    (bench.root / "side.py").write_text("import os\nos.environ['PIVOT_SET_HERE'] = '1'\n")
    read = "os.environ['PIVOT_SET_HERE']; os.environ['PIVOT_SET_LATER'] = '2'; os.environ['PIVOT_SET_LATER']"
    bench.stage(f"{read}; return ''", "import side")
    assert bench.done().environment == {}


@pytest.mark.parametrize("body", ["dict(os.environ)", "os.environ.copy()", "os.system('true')", "time.strftime('%Z')"])
def test_handing_the_environment_on_is_not_reading_it(bench: Bench, body: str) -> None:
    bench.stage(f"{body}; return ''")
    assert bench.done().environment == {}


def test_modules_imported_meanwhile_are_told(bench: Bench) -> None:
    (bench.root / "lazy.py").write_text("import deeper\n")
    (bench.root / "deeper.py").write_text("import json.tool\n")
    bench.stage("name = 'la' + 'zy'; __import__(name); return ''")
    assert bench.done().modules == ("deeper.py", "lazy.py")


def test_a_module_asked_for_by_name_is_told_though_it_was_loaded(bench: Bench) -> None:
    (bench.root / "plugin.py").write_text("")
    bench.stage("import_module('plu' + 'gin'); return ''", "import plugin\nfrom importlib import import_module")
    assert bench.done().modules == ("plugin.py",)


def test_a_package_named_for_its_data_is_not_told(bench: Bench) -> None:
    (bench.root / "plugin").mkdir()
    (bench.root / "plugin/__init__.py").write_text("")
    (bench.root / "plugin/q.sql").write_text("select 1")
    bench.stage(
        "return resources.files('plugin').joinpath('q.sql').read_text() + str(pkgutil.get_data('plugin', 'q.sql'))",
        "import plugin, pkgutil\nfrom importlib import resources",
    )
    assert bench.done().modules == ()
    assert bench.read() == "select 1b'select 1'"


def test_the_environment_has_none_of_gits_local_variables(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = bench.root.parent / "elsewhere"
    subprocess.run(["git", "init", "-q", str(elsewhere)], check=True)
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    monkeypatch.setenv("GIT_SSH_COMMAND", "kept")
    bench.stage("return ' '.join(n for n in os.environ if n in ('GIT_DIR', 'GIT_INDEX_FILE', 'GIT_SSH_COMMAND'))")
    bench.done()
    assert bench.read() == "GIT_SSH_COMMAND"


def test_the_log_of_an_older_run_does_not_pass_for_a_silent_ones(bench: Bench) -> None:
    bench.stage("if not os.path.exists('out.txt'): print('first')\nreturn ''")
    first = bench.done().log
    bench.done()
    logs = sorted(Path(first).parent.iterdir())
    assert [log.read_text() for log in logs] == ["first\n", ""]
