"""Whatever a pipeline file does while it is imported, the command gets a model or a failure, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pivot.code.analysis.model import ImportFailure, PipelineModel
from pivot.pool.jobs import FilePrinted, JobDone, JobFailed
from tests.support.slow import slow_unless
from tests.support.workers import HEAD, Bench, gone

FAILING = [
    ("raises", "1 / 0", "ZeroDivisionError"),
    ("has a syntax error", "def f(:", "SyntaxError"),
    ("exits", "sys.exit(3)", "SystemExit: 3"),
    ("ends the process", "print('so long'); sys.stdout.flush(); os._exit(4)", "exit code 4"),
    ("is killed", "os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    ("crashes", "import ctypes; ctypes.string_at(0)", "SIGSEGV; a crash in compiled code"),
    ("closes every descriptor", "os.closerange(3, 4096)", "the import closed file descriptors"),
    ("raises what cannot be printed", "class E(Exception):\n    def __str__(self): raise E\nraise E", "E"),
    ("imports what is not there", "import nothing_of_this_name", "ModuleNotFoundError"),
    ("interrupts itself", "os.kill(os.getpid(), 2); time.sleep(1)", "KeyboardInterrupt"),
]


@pytest.mark.parametrize(("body", "text"), [row[1:] for row in FAILING], ids=[row[0] for row in FAILING])
def test_an_import_that_fails_is_a_failure_that_says_how(bench: Bench, body: str, text: str) -> None:
    (bench.root / "pipeline.py").write_text(HEAD + body)
    failure = bench.model()
    assert isinstance(failure, ImportFailure)
    assert failure.file == "pipeline.py"
    assert text in failure.message
    assert "pivot/run" not in failure.message


STRANGE = [
    ("prints", "print('hello'); os.system('echo there')"),
    ("prints what is not text", "os.write(1, b'\\xff\\x00\\n'); print('\\udc80')"),
    ("forks", "os.fork()"),
    ("forks a child that stays", "if os.fork() == 0: time.sleep(60)"),
    ("starts a program that stays", "subprocess.Popen(['sleep', '60'])"),
    ("changes its folder", "os.chdir('/')"),
    ("closes the standard streams", "sys.stdin.close(); sys.stdout.close(); os.close(0); os.close(1); os.close(2)"),
    ("replaces signal handlers", "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGCHLD, signal.SIGIO)]"),
    ("sets an alarm", "signal.alarm(30)"),
    ("patches as gevent does", "import socket, select; socket.socket = select.select = os.fork = os.wait4 = None"),
    ("leaves a tracer", "sys.settrace(lambda *a: None)"),
    ("clears the arguments", "sys.argv.clear()"),
]


@pytest.mark.parametrize("body", [row[1] for row in STRANGE], ids=[row[0] for row in STRANGE])
def test_an_import_that_is_only_strange_gives_its_stages(bench: Bench, body: str) -> None:
    bench.stage("return 'right'", body)
    assert isinstance(bench.model(), PipelineModel)
    assert bench.stored(bench.done()) == b"right"


def test_prints_of_an_import_are_events(bench: Bench) -> None:
    bench.stage("return ''", "print('loading')")
    bench.start()
    assert FilePrinted("pipeline.py", "loading") in bench.everything()


def test_a_job_of_a_file_that_cannot_be_imported_fails(bench: Bench) -> None:
    bench.write("1 / 0")
    ending = bench.failed()
    assert ending.kind == "import"
    assert "ZeroDivisionError" in ending.traceback


def test_a_mended_file_is_imported_again(bench: Bench) -> None:
    bench.write("1 / 0")
    assert isinstance(bench.model(), ImportFailure)
    bench.stage("return 'mended'")
    assert bench.stored(bench.done()) == b"mended"


def test_a_job_for_code_that_has_moved_on_does_not_run(bench: Bench) -> None:
    bench.stage("pathlib.Path('ran').touch(); return ''")
    assert bench.failed(code="0" * 32).kind == "moved"
    assert bench.failed("no_such_stage").kind == "moved"
    assert not (bench.root / "ran").exists()


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_code_edited_after_the_plan_never_runs_under_the_old_plan(make_bench: Callable[..., Bench], start: str) -> None:
    bench = make_bench(start=start)
    bench.stage("return old()", "def old(): return 'old'")
    model = bench.model()
    assert isinstance(model, PipelineModel)
    bench.stage("return old()", "def old(): return 'new'")
    ending = bench.run(code=model.stages[0].code)
    if start == "spawn":
        assert isinstance(ending, JobFailed)
        assert ending.kind == "moved"
    else:
        assert isinstance(ending, JobDone)
        assert bench.stored(ending) == b"old"


def test_a_job_with_the_code_of_the_model_runs(bench: Bench) -> None:
    bench.stage("return ''")
    model = bench.model()
    assert isinstance(model, PipelineModel)
    bench.done(code=model.stages[0].code)


def test_several_files_are_imported_at_the_same_time(bench: Bench) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        meeting = f"{HEAD}pathlib.Path('{name}').touch()\nwhile not os.path.exists('{other}'): time.sleep(0.01)\n"
        (bench.root / f"{name}.py").write_text(meeting)
    models = bench.workers.models(["a.py", "b.py"])  # one after the other, the first would wait for ever
    assert [model.file for model in models] == ["a.py", "b.py"]
    assert all(isinstance(model, PipelineModel) for model in models)


def test_closing_ends_an_import_that_hangs(bench: Bench) -> None:
    bench.stage("return ''", "pathlib.Path('pid').write_text(str(os.getpid()))\nwhile True: pass")
    bench.start()
    pid = bench.started()
    bench.workers.close()
    assert gone(pid, 1)


PARENT = """
import sys
from pathlib import Path
from pivot.pool.jobs import Job
from pivot.pool.server_pool import WorkerSettings
from pivot.pool.pool import WorkerPool
root, private = map(Path, sys.argv[1:])
with WorkerPool(WorkerSettings(root, private / "store", private / "logs")) as workers:
    workers.start(Job(1, "work", "pipeline.py"))
    while workers.running():
        workers.events()
"""


KillCommand = Callable[[], list[int]]


@pytest.fixture
def kill_command(bench: Bench, tmp_path: Path) -> KillCommand:
    """Run stage `work` in a command of its own, `kill -9` it once the file `pids` is there; the numbers in it."""

    def run() -> list[int]:
        command = subprocess.Popen([sys.executable, "-c", PARENT, str(bench.root), str(tmp_path / "other")])
        pids = [int(word) for word in bench.wait_for_file("pids").split()]
        command.kill()
        command.wait()
        return pids

    return run


START_MANY = """
pids = [os.getpid(), os.getppid()]
pids.append(subprocess.Popen(["sleep", "60"]).pid)
pids.append(subprocess.Popen(["sleep", "60"], start_new_session=True).pid)
pids.append(int(subprocess.check_output(["sh", "-c", "setsid sleep 60 >/dev/null & echo $!"])))
pathlib.Path("draft").write_text(" ".join(map(str, pids)))
os.rename("draft", "pids")
time.sleep(60)
"""


def test_kill_9_of_the_command_leaves_no_process_of_a_stage(bench: Bench, kill_command: KillCommand) -> None:
    bench.stage(START_MANY)
    assert all(gone(pid) for pid in kill_command())


@pytest.mark.parametrize("hang", ["time.sleep(60)", "while True: pass", "subprocess.run(['sleep', '60'])"])
def test_kill_9_of_the_command_ends_an_import_that_hangs(bench: Bench, kill_command: KillCommand, hang: str) -> None:
    bench.stage("return ''", f"pathlib.Path('pids').write_text(str(os.getpid()))\n{hang}")
    assert all(gone(pid) for pid in kill_command())


def test_kill_9_of_the_code_server_fails_its_jobs_and_the_next_goes_on(bench: Bench) -> None:
    bench.stage(
        """
        if os.path.exists("second"): return "right"
        pathlib.Path("pid").write_text(f"{os.getppid()}")
        time.sleep(60)
        """
    )
    bench.start()
    os.kill(bench.started(), 9)
    (ending,) = bench.wait()
    assert isinstance(ending, JobFailed)
    (bench.root / "second").touch()
    assert bench.stored(bench.done()) == b"right"


INTERRUPTED = """
import signal, sys
from pathlib import Path
from pivot.pool.jobs import Job
from pivot.pool.server_pool import WorkerSettings
from pivot.pool.pool import WorkerPool
root, private = map(Path, sys.argv[1:])
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    print("ready", flush=True)
    with WorkerPool(WorkerSettings(root, private / "store", private / "logs")) as workers:
        for number in range(1000):
            workers.start(Job(number, "work", "pipeline.py"))
            while workers.running():
                workers.events()
except KeyboardInterrupt:
    sys.exit(130)
"""


MOMENTS = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.61, 0.73, 0.87]


@pytest.mark.parametrize("moment", slow_unless(MOMENTS, lambda moment: moment == 0.2))
def test_ctrl_c_at_any_moment_leaves_no_process(bench: Bench, tmp_path: Path, moment: float) -> None:
    bench.stage(
        """
        with open("pids", "a") as file: print(os.getpid(), os.getppid(), file=file)
        subprocess.Popen(["sleep", "60"])
        time.sleep(0.02)
        return ""
        """,
        "with open('pids', 'a') as file: print(os.getpid(), file=file)",
    )
    arguments = [sys.executable, "-c", INTERRUPTED, str(bench.root), str(tmp_path / "other")]
    command = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert command.stdout is not None
    command.stdout.readline()
    time.sleep(moment)
    command.send_signal(signal.SIGINT)
    assert command.wait(20) == 130
    command.stdout.close()
    pids = (bench.root / "pids").read_text().split() if (bench.root / "pids").exists() else []
    assert all(gone(int(pid), 1) for pid in pids)


DAEMONS = {
    "in a session of its own": "pid = subprocess.Popen(['sleep', '60'], start_new_session=True).pid",
    "twice forked": "pid = int(subprocess.check_output(['sh', '-c', 'setsid sleep 60 >/dev/null 2>&1 & echo $!']))",
    "a fork of the import": """
pid = os.fork()
if not pid:
    os.setsid()
    time.sleep(60)
    os._exit(0)
""",
}


AFTER = ["", "raise ValueError", "os._exit(3)", "import no_such_module"]


@pytest.mark.parametrize("after", slow_unless(AFTER, lambda after: not after))
@pytest.mark.parametrize("start", DAEMONS.values(), ids=DAEMONS.keys())
def test_a_daemon_of_the_import_ends_with_the_command(bench: Bench, start: str, after: str) -> None:
    bench.write(start + "\npathlib.Path('pid').write_text(str(pid))\n" + after)
    bench.model()
    pid = int(bench.read("pid"))
    bench.workers.close()
    assert gone(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_code_server_that_is_sent_a_signal_takes_all_with_it(bench: Bench, number: int) -> None:
    bench.stage(
        "p = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "pathlib.Path('pid').write_text(str(p.pid))\nos.kill(os.getppid(), int(os.environ['NUMBER']))\ntime.sleep(60)",
        f"os.environ['NUMBER'] = '{int(number)}'",
    )
    ending = bench.failed()
    assert "the process that imported its code ended" in ending.message
    assert gone(int(bench.read("pid")))
