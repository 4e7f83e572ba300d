"""What an import does, and fails to do, without harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pivot.code.analysis.analyse import analyse
from pivot.errors import CodeError
from tests.code.catalogue.harness import look, write_project
from tests.code.catalogue.row import FOOT, HEAD

STAGES = "def a() -> A: return 1\ndef b() -> B: return 5\n"


def failure(root: Path, files: dict[str, str]) -> str:
    """The message of the error that importing a project gives."""
    write_project(root, files)
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.chdir(root)
            analyse(root, "pipeline.py")
        except CodeError as error:
            os.write(write, error.what.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    return text


def project(body: str, **files: str) -> dict[str, str]:
    return {"pipeline.py": HEAD + body + FOOT, **{f"{name}.py": text for name, text in files.items()}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("1 / 0\n", "ZeroDivisionError"),
        ("def broken(:\n", "SyntaxError"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("import not_there\n", "ModuleNotFoundError: No module named 'not_there'"),
        ("raise BaseException('odd')\n", "BaseException: odd"),
    ],
)
def test_a_failing_import_gives_the_users_own_traceback(tmp_path: Path, body: str, said: str) -> None:
    text = failure(tmp_path, project(STAGES + body))
    assert said in text
    assert "pipeline.py" in text
    assert "pivot/code" not in text
    assert "importlib" not in text


def test_an_error_in_a_helper_module_names_its_line(tmp_path: Path) -> None:
    text = failure(tmp_path, project("import helpers\n" + STAGES, helpers="\n\nraise ValueError('bad')\n"))
    assert f'{tmp_path / "helpers.py"}", line 3' in text
    assert "ValueError: bad" in text


def test_prints_of_the_import_do_not_reach_stdout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_project(tmp_path, project("import os\nprint('noise')\nos.write(1, b'raw noise')\n" + STAGES))
    look(tmp_path)
    assert "noise" not in capfd.readouterr().out


def test_an_import_that_reads_stdin_gets_nothing(tmp_path: Path) -> None:
    write_project(tmp_path, project("import sys\nassert sys.stdin.read() == ''\n" + STAGES))
    assert set(look(tmp_path).codes) == {"a", "b"}


def test_old_bytecode_is_not_run(tmp_path: Path) -> None:
    body = "from helpers import K\ndef a() -> A: return K\ndef b() -> B: return 5\n"
    write_project(tmp_path, project(body, helpers="K = 1\n"))
    path = tmp_path / "helpers.py"
    import py_compile

    py_compile.compile(str(path))
    told = path.stat()
    path.write_text("K = 2\n")
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert look(tmp_path, run=True).results["a"] == "2"


def test_no_bytecode_is_written_into_the_project(tmp_path: Path) -> None:
    write_project(tmp_path, project("import helpers\n" + STAGES, helpers=""))
    look(tmp_path)
    assert not list(tmp_path.rglob("*.pyc"))


def test_another_checkout_path_changes_nothing(tmp_path: Path) -> None:
    body = (
        "from pathlib import Path\nROOT = Path(__file__).resolve().parent\nNAME = f'{ROOT}/data'\nMANY = {'x': [str(ROOT)]}\n"  # noqa: E501
        "def helper(path=ROOT / 'x'): return path\n"
        "def a() -> A: return len(str((ROOT, NAME, MANY, helper(), __file__))) * 0\ndef b() -> B: return 5\n"
    )
    one, two = tmp_path / "one", tmp_path / "deep" / "two with spaces"
    write_project(one, project(body))
    write_project(two, project(body))
    assert look(one).codes == look(two).codes


def test_renaming_a_stage_changes_no_code(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_project(one, project(STAGES))
    write_project(two, project(STAGES.replace("def a()", "def a2()") + "a = a2\n"))
    assert look(one).codes["a"] == look(two).codes["a2"]


def test_stages_of_a_subfolder_carry_its_name(tmp_path: Path) -> None:
    write_project(tmp_path, {"team/pipeline.py": HEAD + STAGES + FOOT})
    assert set(look(tmp_path, file="team/pipeline.py").codes) == {"team/a", "team/b"}


def test_two_pipelines_in_one_file_may_share_a_stage_name(tmp_path: Path) -> None:
    more = 'D = Annotated[int, pivot.Out("d.json")]\ndef d() -> D: return 1\nq = pivot.Pipeline("q")\nq.register(d, name="a")\n'  # noqa: E501
    write_project(tmp_path, project(STAGES + more))
    assert set(look(tmp_path).codes) == {"p:a", "q:a", "b"}


def test_an_installed_package_is_not_walked(tmp_path: Path) -> None:
    library = "def helper(): return {}\n"
    body = (
        "import sys\nfrom pathlib import Path\n"
        "sys.path.insert(0, str(Path(__file__).parent / 'env/lib/site-packages'))\n"
        "from library import helper\ndef a() -> A: return helper()\ndef b() -> B: return 5\n"
    )
    one, two = tmp_path / "one", tmp_path / "two"
    for root, value in ((one, 1), (two, 2)):
        write_project(root, project(body))
        write_project(root, {"env/lib/site-packages/library.py": library.format(value)})
    assert look(one).codes == look(two).codes


def test_a_folder_with_a_virtual_environment_is_no_project_code(tmp_path: Path) -> None:
    body = "import sys\nsys.path.insert(0, 'env')\nimport inside\ndef a() -> A: return inside.f()\ndef b() -> B: return 5\n"  # noqa: E501
    write_project(tmp_path, project(body))
    write_project(tmp_path, {"env/pyvenv.cfg": "", "env/inside.py": "def f(): return 1\n"})
    assert [entry[0] for entry in look(tmp_path).entries["a"]] == ["func:a"]


def test_a_module_of_the_project_shadows_one_that_pivot_uses(tmp_path: Path) -> None:
    body = "import queue, json\ndef a() -> A: return queue.f() + json.f()\ndef b() -> B: return 5\n"
    write_project(tmp_path, project(body, queue="def f(): return 1\n", json="def f(): return 2\n"))
    assert look(tmp_path, run=True).results["a"] == "3"


REMARKS = {
    "eval of a built string": "def a() -> A: return eval('1' + '2')\n",
    "a generator": "def numbers():\n    yield 1\nG = numbers()\ndef a() -> A: return next(G)\n",
    "a random value": "import random\nK = random.random()\ndef a() -> A: return int(K)\n",
    "a connection": "import sqlite3\nDB = sqlite3.connect(':memory:')\ndef a() -> A: return len(repr(DB))\n",
    "a socket": "import socket\nS = socket.socket()\ndef a() -> A: return S.fileno()\n",
}


@pytest.mark.parametrize("body", REMARKS.values(), ids=REMARKS.keys())
def test_what_cannot_be_tracked_is_said_with_its_place(tmp_path: Path, body: str) -> None:
    write_project(tmp_path, project(body + "def b() -> B: return 5\n"))
    told = look(tmp_path).remarks
    assert [(kind, file) for kind, _, file, _, _ in told] == [("untracked", "pipeline.py")]
    assert all(line > 1 and why for _, _, _, line, why in told)


def test_a_module_used_as_a_value_is_said_to_be_coarse(tmp_path: Path) -> None:
    body = "import helpers\ndef a() -> A: return getattr(helpers, 'f' + '')()\ndef b() -> B: return 5\n"
    write_project(tmp_path, project(body, helpers="def f(): return 1\n"))
    assert [(kind, name) for kind, name, *_ in look(tmp_path).remarks] == [("coarse", "helpers")]


ORDINARY = {
    "a lock": "import threading\nL = threading.Lock()\n",
    "a logger": "import logging\nL = logging.getLogger(__name__)\n",
    "an object": "L = object()\n",
    "a context variable": "import contextvars\nL = contextvars.ContextVar('x')\n",
    "a thread's own data": "import threading\nL = threading.local()\n",
    "a weak dictionary": "import weakref\nL = weakref.WeakValueDictionary()\n",
}


@pytest.mark.parametrize("body", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_helpers_are_not_complained_about(tmp_path: Path, body: str) -> None:
    write_project(tmp_path, project(body + "def a() -> A: return len(repr(L))\ndef b() -> B: return 5\n"))
    assert look(tmp_path).remarks == []
