"""Jobs run side by side, in time, and the same whether forked or spawned."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from pivot.pool.jobs import JobDone, JobFailed, JobPrinted
from tests.support.workers import Bench

TWO = """
@pipeline.register
def left() -> Annotated[str, pivot.Out("left.txt")]:
    return meet("l", "r")

@pipeline.register
def right() -> Annotated[str, pivot.Out("right.txt")]:
    return meet("r", "l")

def meet(mine, other):
    pathlib.Path(mine).touch()
    while not os.path.exists(other): time.sleep(0.01)
    return "met"
"""


def test_stages_of_one_file_run_at_the_same_time(bench: Bench) -> None:
    bench.write(TWO)
    bench.start("left")
    bench.start("right")
    assert all(isinstance(ending, JobDone) for ending in bench.wait())


def test_stages_of_several_files_run_at_the_same_time(bench: Bench) -> None:
    bench.write(TWO)
    (bench.root / "second.py").write_text((bench.root / "pipeline.py").read_text())
    bench.start("left")
    bench.start("second/right", file="second.py")
    assert all(isinstance(ending, JobDone) for ending in bench.wait())


def test_no_stage_sees_the_leftovers_of_another(bench: Bench) -> None:
    body = "seen.append(1); os.environ['LEFT'] = 'x'; return f'{len(seen)} {had}'"
    bench.stage(body, "seen = []; had = 'LEFT' in os.environ")
    for _ in range(2):
        assert bench.stored(bench.done()) == b"1 False"


def test_the_import_is_paid_once(bench: Bench) -> None:
    bench.stage("return ''", "open('imports', 'a').write('x')")
    for _ in range(3):
        bench.done()
    assert bench.read("imports") == "x"


def test_a_stage_runs_in_the_folder_of_its_pipeline(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    bench.stage("return os.getcwd()")
    (bench.root / "pipeline.py").rename(bench.root / "sub" / "pipeline.py")
    ending = bench.run("sub/work", file="sub/pipeline.py")
    assert isinstance(ending, JobDone)
    assert bench.read("sub/out.txt") == str(bench.root / "sub")
    assert list(ending.outs) == ["sub/out.txt"]


def test_time_and_memory_are_measured(bench: Bench) -> None:
    bench.stage(
        """
        held = bytearray(150_000_000)
        subprocess.run([sys.executable, "-c", "n = 0\\nwhile n < 6_000_000: n += 1"])
        time.sleep(0.3)
        return ""
        """
    )
    ending = bench.done()
    assert ending.seconds > 0.35
    assert ending.cpu > 0.05
    assert 150_000_000 < ending.memory < 1_000_000_000


def test_a_timeout_ends_the_stage(bench: Bench) -> None:
    bench.stage("time.sleep(60)")
    ending = bench.failed(timeout=0.3)
    assert ending.kind == "timeout"
    assert ending.message == "it ran for more than 0.3 s"
    assert ending.seconds < 5


def test_a_cancelled_job_that_waits_for_the_import_ends_too(bench: Bench) -> None:
    bench.stage("return ''", "time.sleep(60)")
    began = time.monotonic()
    bench.workers.cancel(bench.start())
    (ending,) = bench.wait()
    assert isinstance(ending, JobFailed)
    assert ending.kind == "cancelled"
    assert time.monotonic() - began < 30


def test_wake_ends_the_waiting_for_events(bench: Bench) -> None:
    bench.stage("time.sleep(60)")
    bench.start()
    threading.Timer(0.2, bench.workers.wake).start()
    began = time.monotonic()
    assert bench.workers.events(30) == []
    assert time.monotonic() - began < 10


def test_ctrl_c_of_the_command_does_not_reach_the_stages(bench: Bench) -> None:
    bench.stage("pathlib.Path('pid').write_text(str(os.getpgid(0))); time.sleep(0.5); return 'right'")
    bench.start()
    assert bench.started() != os.getpgid(0)
    caught: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    try:
        os.killpg(os.getpgid(0), signal.SIGINT) if os.getpgid(0) == os.getpid() else os.kill(os.getpid(), signal.SIGINT)
        (ending,) = bench.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    assert caught
    assert isinstance(ending, JobDone)


def test_progress_bars_are_passing_lines(bench: Bench) -> None:
    bench.stage(
        """
        for n in range(3):
            sys.stderr.write(f"\\r{n}")
            sys.stderr.flush()
            time.sleep(0.05)
        print()
        return ""
        """
    )
    bench.start()
    printed = [one for one in bench.everything() if isinstance(one, JobPrinted)]
    assert [one.line for one in printed if not one.passing] == ["2"]
    assert [one.line for one in printed if one.passing][-1] == "1"


DRAWS = """
import random
{seed}
def draw(): return f"{{random.random()}} {{{numpy}}}"

@pipeline.register
def one() -> Annotated[str, pivot.Out("one.txt")]:
    return draw()

@pipeline.register
def two() -> Annotated[str, pivot.Out("two.txt")]:
    return draw()
"""


def draws(bench: Bench, seed: str, numpy: str) -> list[list[str]]:
    bench.write(DRAWS.format(seed=seed, numpy=numpy))
    bench.done("one")
    bench.done("two")
    return [bench.read(name).split() for name in ("one.txt", "two.txt")]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_replicates_draw_different_numbers(make_bench: Callable[..., Bench], start: str) -> None:
    pytest.importorskip("numpy")
    before = "import numpy; numpy.random.rand(); random.random()"
    one, two = draws(make_bench(start=start), before, "numpy.random.rand()")
    assert len({*one, *two}) == 4


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_replicates_of_a_seeded_pipeline_draw_the_same_numbers(make_bench: Callable[..., Bench], start: str) -> None:
    pytest.importorskip("numpy")
    before = "import numpy; numpy.random.seed(3); random.seed(3)"
    one, two = draws(make_bench(start=start), before, "numpy.random.rand()")
    assert one == two == ["0.23796462709189137", "0.5507979025745755"]


SPAWNED = {
    "a result": "print('out'); return 'right'",
    "an exception": "print('out'); raise ValueError('no')",
    "an exit": "os._exit(3)",
    "a signal": "os.kill(os.getpid(), 9)",
    "a child left behind": "subprocess.Popen(['sleep', '60']); return 'right'",
    "a file read": "open('pipeline.py'); open('extra').read(); os.environ['HOME']; import helper; return 'right'",
    "broken builtins": "import builtins; builtins.open = None; return 'right'",
}


@pytest.mark.parametrize("body", SPAWNED.values(), ids=SPAWNED.keys())
def test_a_spawned_stage_gives_what_a_forked_one_gives(make_bench: Callable[..., Bench], body: str) -> None:
    found = []
    for start in ("fork", "spawn"):
        bench = make_bench(start=start)
        for name in ("extra", "helper.py"):
            (bench.root / name).write_text("")
        bench.stage(body)
        found.append((gist(bench.run()), bench.printed))
    assert found[0] == found[1]


def gist(ending: JobDone | JobFailed) -> object:
    if isinstance(ending, JobFailed):
        return (ending.kind, ending.message, ending.traceback, ending.inputs, ending.tail)
    return (ending.outs, ending.modules, ending.undeclared, ending.environment, ending.warnings)


def test_spawn_is_chosen_when_the_import_leaves_threads(bench: Bench) -> None:
    bench.stage(
        "return str(len(threading.enumerate()))",
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    )
    bench.done()
    assert bench.read() == "2"  # a forked process would have lost the thread


def test_threads_of_numpy_do_not_prevent_a_fork(bench: Bench) -> None:
    pytest.importorskip("numpy")
    bench.stage("return ''", "import numpy\nopen('imports', 'a').write('x')")
    bench.done()
    assert bench.read("imports") == "x"


def test_a_hundred_jobs_at_once(bench: Bench) -> None:
    stage = "@pipeline.register\ndef s{0}() -> Annotated[str, pivot.Out('{0}.txt')]: return '{0}'\n"
    bench.write("".join(stage.format(number) for number in range(100)))
    for number in range(100):
        bench.start(f"s{number}")
    endings = bench.wait()
    assert [ending for ending in endings if isinstance(ending, JobFailed)] == []
    assert {ending.stage for ending in endings} == {f"s{number}" for number in range(100)}
