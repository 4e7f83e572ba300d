"""Whatever a stage does to its process, it fails alone, with a clear sentence, and the next stage runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivot.pool.jobs import JobEvent, JobFailed
from tests.support.slow import slow_unless
from tests.support.workers import Bench, gone, is_alive

# (what, code before the stage, body, kind, part of the message)
FAILING = [
    ("raises", "", "raise ValueError('no good')", "raised", "ValueError: no good"),
    ("exits 0", "", "sys.exit()", "exit", "sys.exit(None)"),
    ("exits 3", "", "sys.exit(3)", "exit", "sys.exit(3)"),
    ("exits with a text", "", "sys.exit('bye')", "exit", "sys.exit('bye')"),
    ("os._exit 0", "", "os._exit(0)", "exit", "exit code 0"),
    ("os._exit 7", "", "os._exit(7)", "exit", "exit code 7"),
    ("killed", "", "os.kill(os.getpid(), signal.SIGKILL)", "signal", "killed by SIGKILL; the machine may be out of"),
    ("its group killed", "", "os.killpg(0, signal.SIGKILL)", "signal", "SIGKILL"),
    ("terminated", "", "os.kill(os.getpid(), signal.SIGTERM)", "signal", "SIGTERM"),
    ("crashes", "", "import ctypes; ctypes.string_at(0)", "signal", "SIGSEGV; a crash in compiled code"),
    ("aborts", "", "os.abort()", "signal", "SIGABRT"),
    ("alarm", "", "signal.alarm(1); time.sleep(20)", "signal", "SIGALRM"),
    ("interrupts itself", "", "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", "raised", "KeyboardInterrupt"),
    ("recursion", "", "f = lambda: f(); f()", "raised", "RecursionError"),
    ("recursion without a limit", "def f(): f()", "sys.setrecursionlimit(300_000); f()", "raised", "RecursionError"),
    ("an int that has no text", "", "return str(10**5000)", "raised", "ValueError: Exceeds the limit"),
    ("out of memory", "", "raise MemoryError", "raised", "MemoryError"),
    ("generator exit", "", "raise GeneratorExit", "raised", "GeneratorExit"),
    ("returns nothing", "", "pass", "declared", "work"),
    ("returns another type", "", "return 5", "declared", "work"),
    (
        "exception without text",
        "class Mute(Exception):\n    def __str__(self): raise TypeError\n    __repr__ = __str__",
        "raise Mute",
        "raised",
        "Mute: its message cannot be printed",
    ),
    (
        "exception that exits when printed",
        "class Trap(Exception):\n    def __str__(self): raise SystemExit(0)",
        "raise Trap",
        "raised",
        "Trap: its message cannot be printed",
    ),
    (
        "exception with a lock in it",
        "",
        "error = ValueError('held'); error.lock = threading.Lock(); raise error",
        "raised",
        "ValueError: held",
    ),
    ("huge message", "", "raise ValueError('x' * 20_000_000)", "raised", "ValueError: xxxx"),
    ("surrogate in the message", "", "raise ValueError('\\udc80')", "raised", "ValueError: \\udc80"),
    ("a base exception", "class Odd(BaseException): pass", "raise Odd('odd')", "raised", "Odd: odd"),
    ("exception group", "", "raise ExceptionGroup('many', [ValueError('one'), KeyError('two')])", "raised", "many"),
    ("closes every descriptor", "", "os.closerange(0, 4096); return ''", "protocol", "file descriptors"),
    (
        "puts a file where the answer goes",
        "",
        """
        fds = [int(name) for name in os.listdir('/proc/self/fd')]
        os.closerange(3, 4096)
        f = os.open('precious', os.O_CREAT | os.O_RDWR)
        [os.dup2(f, fd) for fd in fds if fd > 2 and fd != f]
        return ''
        """,
        "protocol",
        "file descriptors",
    ),
    (
        "a thread still at work",
        "",
        "threading.Thread(target=time.sleep, args=(60,), name='lingering').start(); return ''",
        "threads",
        "lingering",
    ),
    ("exec into another program", "", "os.execvp('true', ['true'])", "exit", "exit code 0"),
]


@pytest.mark.parametrize(
    ("before", "body", "kind", "text"), [row[1:] for row in FAILING], ids=[row[0] for row in FAILING]
)
def test_a_stage_that_fails_says_how(bench: Bench, before: str, body: str, kind: str, text: str) -> None:
    bench.stage(
        body, before + "\n@pipeline.register\ndef other() -> Annotated[str, pivot.Out('other.txt')]: return 'fine'"
    )
    ending = bench.failed()
    assert ending.kind == kind
    assert text in ending.message
    assert len(ending.message) + len(ending.traceback) < 100_000
    assert bench.done("other").outs["other.txt"].size == 4
    assert not (bench.root / "precious").exists() or (bench.root / "precious").read_bytes() == b""


# (what, code before the stage, body): strange, and still right
PASSING = [
    ("changes its folder", "", "os.chdir('/'); return 'right'"),
    ("removes its folder", "", "import tempfile; os.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd()); return 'right'"),
    ("closes standard output", "", "sys.stdout.close(); os.close(1); return 'right'"),
    ("sets standard output to None", "", "sys.stdout = sys.stderr = sys.__stdout__ = None; return 'right'"),
    ("breaks builtins", "", "import builtins; builtins.open = builtins.print = builtins.len = None; return 'right'"),
    (
        "empties builtins",
        "",
        """
        import builtins
        names = vars(builtins)
        names.update({name: None for name in list(names) if name[0].islower()})
        return 'right'
        """,
    ),
    ("breaks os", "", "os.write = os.open = os.close = os.getpid = os.fstat = None; return 'right'"),
    ("breaks time", "", "time.monotonic = time.perf_counter = time.time = lambda: 0; return 'right'"),
    ("breaks builtins when imported", "import builtins; real = builtins.open; builtins.open = None", "return 'right'"),
    ("lowers the recursion limit", "", "sys.setrecursionlimit(60); return 'right'"),
    ("leaves an alarm", "", "signal.alarm(1); return 'right'"),
    ("leaves a tracer", "", "sys.settrace(lambda *a: (_ for _ in ()).throw(RuntimeError('traced'))); return 'right'"),
    ("sets a umask", "", "os.umask(0o777); return 'right'"),
    ("ignores signals", "", "[signal.signal(n, signal.SIG_IGN) for n in (15, 2, 17)]; return 'right'"),
    (
        "leaves a daemon thread",
        "",
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); return 'right'",
    ),
    (
        "leaves an idle thread pool",
        "from concurrent.futures import ThreadPoolExecutor\nkept = []",
        "pool = ThreadPoolExecutor(2); kept.append(pool); return pool.submit(lambda: 'right').result()",
    ),
    (
        "leaves a process pool",
        "from concurrent.futures import ProcessPoolExecutor\nkept = []\ndef job(): return 'right'",
        "pool = ProcessPoolExecutor(1); kept.append(pool); return pool.submit(job).result()",
    ),
    ("a thread that ends in time", "", "threading.Thread(target=time.sleep, args=(0.2,)).start(); return 'right'"),
    ("a fork that returns", "", "os.fork(); return 'right'"),
    ("a fork that raises", "", "if os.fork() == 0: raise ValueError('in the child')\ntime.sleep(0.1); return 'right'"),
    ("a fork that exits", "", "if os.fork() == 0: sys.exit(3)\nos.wait(); return 'right'"),
    ("deletes from sys.modules", "", "sys.modules.clear(); return 'right'"),
    ("sets the environment", "", "os.environ.clear(); return 'right'"),
    ("reads its input", "", "assert sys.stdin.read() == ''; return 'right'"),
    ("an exit handler that raises", "import atexit", "atexit.register(lambda: 1 / 0); return 'right'"),
    ("a file left open", "kept = []", "f = open('side.txt', 'w'); f.write('x'); kept.append(f); return 'right'"),
]


@pytest.mark.parametrize(("before", "body"), [row[1:] for row in PASSING], ids=[row[0] for row in PASSING])
def test_a_stage_that_is_only_strange_gives_its_result(bench: Bench, before: str, body: str) -> None:
    bench.stage(body, before)
    ending = bench.done()
    assert bench.stored(ending) == b"right"


def test_infinite_output_is_bounded_in_the_log_and_ends_with_the_job(bench: Bench) -> None:
    bench.stage("while True: os.write(1, b'spam ' * 10000 + b'\\n')")
    job = bench.start(timeout=0.7)
    (ending,) = bench.wait()
    assert isinstance(ending, JobFailed)
    assert ending.job == job
    assert ending.kind == "timeout"
    assert Path(ending.log).stat().st_size < 9 << 20
    assert len(ending.tail) == 20
    assert all(len(line) <= 8192 for line in ending.tail)


def test_a_line_without_end_is_cut(bench: Bench) -> None:
    bench.stage("os.write(1, b'a' * 1_000_000); return ''")
    bench.done()
    assert "".join(bench.printed) == "a" * 1_000_000
    assert max(map(len, bench.printed)) <= 8192


LEFT_BEHIND = {
    "a child": "p = subprocess.Popen(['sleep', '60']); pids = [p.pid]",
    "a grandchild": "pids = [int(subprocess.check_output(['sh', '-c', 'sleep 60 >/dev/null & echo $!']))]",
    "a child in another session": "p = subprocess.Popen(['sleep', '60'], start_new_session=True); pids = [p.pid]",
    "a daemon": "pids = [int(subprocess.check_output("
    "['sh', '-c', 'setsid sh -c \"sleep 60 >/dev/null 2>&1 & echo \\\\$!\"']))]",
    "one that holds the output": "p = subprocess.Popen('trap \"\" TERM; sleep 60', shell=True); pids = [p.pid]",
}


ENDS = ["return ''", "os._exit(1)", "os.kill(os.getpid(), 9)"]


@pytest.mark.parametrize("body", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
@pytest.mark.parametrize("end", slow_unless(ENDS, lambda end: end == "os._exit(1)"))
def test_processes_left_behind_are_ended_with_their_stage(bench: Bench, body: str, end: str) -> None:
    bench.stage(f"{body}\npathlib.Path('pid').write_text(str(pids[0]))\n{end}")
    ending = bench.run()
    assert gone(int(bench.read("pid")))
    assert isinstance(ending, JobFailed) or "processes running" in ending.warnings[0]


NOTHING_LEFT = {
    "an ended child that nobody waited for": "kept.append(subprocess.Popen(['true'])); time.sleep(0.1); return ''",
    "a pool of processes": """
        import multiprocessing
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return str(pool.apply(abs, (-1,)))
    """,
    "a fork server": """
        import multiprocessing
        with multiprocessing.get_context("forkserver").Pool(1) as pool:
            return str(pool.apply(abs, (-1,)))
    """,
}


@pytest.mark.parametrize("body", NOTHING_LEFT.values(), ids=NOTHING_LEFT.keys())
def test_what_ends_by_itself_is_not_warned_about(bench: Bench, body: str) -> None:
    bench.stage(body, "kept = []")
    assert bench.done().warnings == ()


def test_a_process_left_by_one_stage_is_ended_while_another_runs(bench: Bench) -> None:
    bench.write(
        """
        @pipeline.register
        def short() -> Annotated[str, pivot.Out("short.txt")]:
            p = subprocess.Popen(["sleep", "60"], start_new_session=True)
            return str(p.pid)

        @pipeline.register
        def long() -> Annotated[str, pivot.Out("long.txt")]:
            p = subprocess.Popen(["sleep", "60"], start_new_session=True)
            pathlib.Path("pid").write_text(str(p.pid))
            while not os.path.exists("short.txt"): time.sleep(0.01)
            time.sleep(0.3)
            return str(p.poll())
        """
    )
    bench.start("long")
    mine = bench.started("pid")
    bench.start("short")
    bench.wait()
    assert gone(int(bench.read("short.txt")))
    assert bench.read("long.txt") == "None"
    assert gone(mine)


def test_a_burst_of_forks_ends_with_its_stage(bench: Bench) -> None:
    bench.stage(
        """
        with open("pids", "a") as f:
            for _ in range(5): os.fork()
            f.write(f"{os.getpid()}\\n"); f.flush()
        time.sleep(60)
        """
    )
    bench.start(timeout=1.5)
    (ending,) = bench.wait()
    assert isinstance(ending, JobFailed)
    pids = [int(line) for line in bench.read("pids").split()]
    assert len(pids) > 8
    assert all(gone(pid) for pid in pids)


def test_memory_over_the_limit_fails_the_stage_alone(bench: Bench) -> None:
    bench.stage("held = bytearray(2 << 30); return ''")
    ending = bench.failed(memory=1 << 30)
    assert ending.message.startswith("MemoryError")


def test_a_stage_that_ignores_sigterm_is_killed_after_the_grace(bench: Bench) -> None:
    bench.stage("signal.signal(15, signal.SIG_IGN); pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)")
    job = bench.start()
    pid = bench.started()
    bench.workers.cancel(job)
    (ending,) = bench.wait()
    assert isinstance(ending, JobFailed)
    assert ending.kind == "cancelled"
    assert not is_alive(pid)


def test_a_stage_that_goes_on_printing_is_given_the_grace_once(bench: Bench) -> None:
    bench.stage(
        """
        signal.signal(15, signal.SIG_IGN)
        pathlib.Path("pid").write_text(str(os.getpid()))
        for number in range(100):
            print(number, flush=True)
            time.sleep(0.05)
        pathlib.Path("end").touch()
        """
    )
    job = bench.start()
    pid = bench.started()
    heard: list[JobEvent] = []
    while bench.workers.running():
        bench.workers.cancel(job)  # as a run does with every line, once it has been told to end
        heard += bench.workers.events(0.1)
    ending = heard[-1]
    assert isinstance(ending, JobFailed)
    assert ending.kind == "cancelled"
    assert not is_alive(pid)
    assert not (bench.root / "end").exists()


def test_a_stage_may_clean_up_on_sigterm(bench: Bench) -> None:
    bench.stage(
        """
        def stop(*_):
            pathlib.Path("cleaned").write_text("yes")
            sys.exit(1)
        signal.signal(15, stop)
        pathlib.Path("pid").write_text("1")
        time.sleep(60)
        """
    )
    job = bench.start()
    bench.started()
    bench.workers.cancel(job)
    (ending,) = bench.wait()
    assert isinstance(ending, JobFailed)
    assert ending.kind == "cancelled"
    assert bench.read("cleaned") == "yes"


def test_no_descriptor_of_pivot_is_seen_by_a_stage(bench: Bench) -> None:
    bench.stage("return subprocess.check_output(['sh', '-c', 'ls /proc/self/fd | wc -l'], text=True).strip()")
    bench.done()
    assert int(bench.read()) == 4  # 0, 1, 2 and the folder that `ls` reads


def test_descriptors_are_not_lost_over_many_jobs(bench: Bench) -> None:
    bench.stage("return ''")
    bench.done()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        bench.done()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_long_traceback_is_cut_in_the_middle(bench: Bench) -> None:
    bench.stage("sys.setrecursionlimit(300_000); one()", "def one(): two()\ndef two(): one()")
    ending = bench.failed()
    assert ending.traceback.startswith("Traceback")
    assert "in work" in ending.traceback
    assert 90 < ending.traceback.count("in two") <= 100


def test_what_is_removed_below_the_git_directory_is_no_bug(bench: Bench) -> None:
    bench.stage("import shutil; shutil.rmtree(pathlib.Path(os.getcwd() + '-git'), ignore_errors=True); return 'right'")
    assert bench.stored(bench.done()) == b"right"
