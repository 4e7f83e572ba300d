"""Python programs that a stage starts report what they open in the project, as the stage itself does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pivot.worker.child_reports import ask_children, read_report
from tests.support.workers import Bench

SCRIPT = "open('extra.csv').read()\n"
RUN = "subprocess.run([sys.executable, 'src/train.py'], check=True)"
WAYS = {
    "run": RUN,
    "module": "subprocess.run([sys.executable, '-m', 'src.train'], check=True)",
    "shell": "os.system(f'{sys.executable} src/train.py')",
    "copied environment": "subprocess.run([sys.executable, 'src/train.py'], env={**os.environ, 'X': '1'}, check=True)",
    "grandchild": "subprocess.run(['sh', '-c', f'{sys.executable} src/train.py; true'], check=True)",
    "another folder": "subprocess.run([sys.executable, '../src/train.py', '..'], cwd='data', check=True)",
    "spawn": "os.posix_spawn(sys.executable, [sys.executable, 'src/train.py'], os.environ); os.wait()",
}


@pytest.fixture
def project(bench: Bench) -> Bench:
    (bench.root / "src").mkdir()
    (bench.root / "data").mkdir()
    (bench.root / "extra.csv").write_text("1")
    (bench.root / "src/train.py").write_text(
        f"import os, sys\nos.chdir(sys.argv[1] if sys.argv[1:] else '.')\n{SCRIPT}"
    )
    return bench


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS.keys())
def test_what_a_script_reads_is_said_with_its_line(project: Bench, body: str) -> None:
    project.stage(f"{body}\nreturn ''")
    ending = project.done()
    assert ending.undeclared == ("reads extra.csv (src/train.py:3)",)
    assert ending.modules == ("src/train.py",)


POOLS = {
    "fork": "import multiprocessing as m\nwith m.get_context('fork').Pool(1) as pool: pool.map(side.read, [1])",
    "spawn": "import multiprocessing as m\nwith m.get_context('spawn').Pool(1) as pool: pool.map(side.read, [1])",
    "forkserver": "import multiprocessing as m\nwith m.get_context('forkserver').Pool(1) as p: p.map(side.read, [1])",
    "os.fork": "if not os.fork():\n    side.read(1)\n    os._exit(0)\nos.wait()",
}


@pytest.mark.parametrize("body", POOLS.values(), ids=POOLS.keys())
def test_what_a_worker_of_a_pool_reads_is_said(project: Bench, body: str) -> None:
    (project.root / "side.py").write_text(f"import other\ndef read(_):\n    {SCRIPT}")
    (project.root / "other.py").write_text("")
    project.stage(f"{body}\nreturn ''", "import side")
    ending = project.done()
    assert ending.undeclared == ("reads extra.csv (side.py:3)",)
    assert ending.modules == (), "a worker imports what the pipeline has imported; that is no other code of the stage"


def test_modules_that_a_script_imports_are_code_also_from_bytecode(project: Bench) -> None:
    (project.root / "src/helper.py").write_text("import late\n")
    (project.root / "src/late.py").write_text("")
    (project.root / "src/train.py").write_text("import helper")
    project.stage(f"{RUN}\nreturn ''")
    assert [project.done().modules, project.done().modules] == [("src/helper.py", "src/late.py", "src/train.py")] * 2
    assert list((project.root / "src/__pycache__").iterdir())


def test_what_is_declared_written_or_gone_is_not_said(project: Bench) -> None:
    (project.root / "src/train.py").write_text(
        "open('out.txt', 'w').write('x'); open('scratch', 'w').write('x'); open('scratch').read()\n"
        "import os; os.unlink('scratch')\n"
    )
    project.stage(f"{RUN}\nreturn open('out.txt').read()")
    ending = project.done()
    assert (ending.undeclared, project.read()) == ((), "x")


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_python_that_ignores_the_environment_works_and_reports_nothing(project: Bench, option: str) -> None:
    project.stage(f"subprocess.run([sys.executable, '{option}', 'src/train.py'], check=True)\nreturn ''")
    assert project.done().undeclared == ()


def test_the_users_own_python_path_is_what_was_read(project: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    project.stage("os.environ['PYTHONPATH']; os.environ.get('GIT_PIVOT_CHILDREN'); return ''")
    assert project.done().environment == {"PYTHONPATH": "/nowhere"}


def test_without_a_python_path_none_was_read(project: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    project.stage("os.getenv('PYTHONPATH'); return ''")
    assert project.done().environment == {"PYTHONPATH": None}


@pytest.mark.parametrize("removal", ["os.unlink", "lambda path: os.replace('/dev/null' and 'extra.csv', path)"])
def test_a_report_that_the_stage_has_spoilt_costs_only_the_report(project: Bench, removal: str) -> None:
    project.stage(f"{RUN}\n({removal})(os.environ['GIT_PIVOT_CHILDREN']); return ''")
    assert project.done().undeclared == ()


def test_reports_are_removed_with_their_server(project: Bench) -> None:
    project.stage(f"{RUN}\nreturn ''")
    project.done()
    project.workers.close()
    assert list((project.settings.logs.parent / "children").iterdir()) == []


def _python(folder: Path, code: str, path: str = "") -> subprocess.CompletedProcess[str]:
    report = folder / "report"
    changed = os.environ.copy()
    try:
        ask_children(str(report), str(folder))
        env = {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{path}"}
    finally:
        os.environ.clear()
        os.environ.update(changed)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("sitecustomize", "print('own', __name__, __file__)", "own sitecustomize"),
        ("sitecustomize", "raise ValueError('of the user')", "ValueError: of the user"),
        ("unrelated", "", ""),
    ],
)
def test_the_users_own_customization_runs_as_ever(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / f"own/{name}.py").write_text(text)
    (tmp_path / "a").write_text("")
    code = "import sys; open('a'); print([one for one in sys.path if 'child_site' in one])"
    ran = _python(tmp_path, code, str(tmp_path / "own"))
    assert says in ran.stdout + ran.stderr
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (0, "[]")
    assert ("reads", f"{tmp_path}/a", "") in list(read_report(f"{tmp_path}/report"))


def test_thousands_of_reads_are_bounded(tmp_path: Path) -> None:
    code = "import os\nfor n in range(12000):\n    os.close(os.open(str(n), os.O_CREAT | os.O_RDONLY))"
    assert _python(tmp_path, code).returncode == 0
    assert len(list(read_report(f"{tmp_path}/report"))) == 10_000


@pytest.mark.parametrize("data", [b"", b"\0", b"reads\0/a", b"runs\0" * 50_000, b"\xff" * (5 << 20), b"lies\0/a\0\0"])
def test_a_damaged_report_is_no_more_than_empty(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "report").write_bytes(data)
    assert all(verb == "runs" for verb, _, _ in read_report(f"{tmp_path}/report"))


def test_a_link_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"reads\0/a\0\0")
    (tmp_path / "report").symlink_to("other")
    assert list(read_report(f"{tmp_path}/report")) == []
