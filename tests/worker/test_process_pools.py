"""Pools that a stage leaves open end with it as they do with a script: at once, without a word."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.support.workers import Bench, gone

MakeBench = Callable[..., Bench]

HELD = "kept = []\ndef square(x): return x * x\n"
RIGHT = "0 1 4"
BOUND = 20.0
"""Seconds; loky's workers alone would wait for five minutes."""

# (what, the module that it needs, code before the stage, the body)
POOLS = [
    ("joblib", "joblib", "", "found = joblib.Parallel(2)(joblib.delayed(square)(i) for i in range(3))"),
    (
        "joblib with",
        "joblib",
        "",
        "with joblib.Parallel(2) as many: found = many(joblib.delayed(square)(i) for i in range(3))",
    ),
    (
        "joblib threads",
        "joblib",
        "",
        "found = joblib.Parallel(2, prefer='threads')(joblib.delayed(square)(i) for i in range(3))",
    ),
    (
        "joblib multiprocessing",
        "joblib",
        "",
        "found = joblib.Parallel(2, backend='multiprocessing')(joblib.delayed(square)(i) for i in range(3))",
    ),
    (
        "scikit-learn n_jobs",
        "sklearn",
        "",
        """
        from sklearn.model_selection import cross_val_score
        from sklearn.tree import DecisionTreeClassifier
        X, y = [[i, i % 3] for i in range(30)], [i % 2 for i in range(30)]
        assert len(cross_val_score(DecisionTreeClassifier(), X, y, n_jobs=2, cv=2)) == 2
        found = [0, 1, 4]
        """,
    ),
    (
        "scikit-learn forest",
        "sklearn",
        "",
        """
        from sklearn.ensemble import RandomForestClassifier
        model = RandomForestClassifier(4, n_jobs=2).fit([[0], [1]] * 5, [0, 1] * 5)
        found = [0, 1, 4] if len(model.predict([[0]])) else []
        """,
    ),
    *(
        (
            f"ProcessPoolExecutor {method}",
            "concurrent.futures",
            "import concurrent.futures",
            f"""
            import multiprocessing
            pool = concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("{method}"))
            kept.append(pool)
            found = pool.map(square, range(3))
            """,
        )
        for method in ("fork", "spawn", "forkserver")
    ),
    (
        "ProcessPoolExecutor with",
        "concurrent.futures",
        "",
        """
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            found = list(pool.map(square, range(3)))
        """,
    ),
    (
        "ThreadPoolExecutor",
        "concurrent.futures",
        "",
        "pool = concurrent.futures.ThreadPoolExecutor(2); kept.append(pool); found = pool.map(square, range(3))",
    ),
    *(
        (
            f"multiprocessing {method}",
            "multiprocessing",
            "",
            f"""
            pool = multiprocessing.get_context("{method}").Pool(2)
            kept.append(pool)
            found = pool.map(square, range(3))
            """,
        )
        for method in ("fork", "spawn", "forkserver")
    ),
    *(
        (
            f"multiprocessing {method} with",
            "multiprocessing",
            "",
            f"with multiprocessing.get_context('{method}').Pool(2) as pool: found = pool.map(square, range(3))",
        )
        for method in ("fork", "spawn", "forkserver")
    ),
    (
        "multiprocessing manager",
        "multiprocessing",
        "import multiprocessing.managers",
        "manager = multiprocessing.Manager(); kept.append(manager); found = manager.list([0, 1, 4])",
    ),
    (
        "dask threads",
        "dask",
        "import dask.delayed",
        "found = dask.compute(*[dask.delayed(square)(i) for i in range(3)], scheduler='threads')",
    ),
    (
        "dask processes",
        "dask",
        "import dask.multiprocessing",
        "found = dask.compute(*[dask.delayed(square)(i) for i in range(3)], scheduler='processes')",
    ),
    ("polars", "polars", "", "found = polars.Series([0, 1, 2]).to_frame('x').select(polars.col('x') ** 2)['x']"),
    (
        "torch DataLoader",
        "torch.utils.data",
        "",
        """
        loader = torch.utils.data.DataLoader([0, 1, 2], batch_size=1, num_workers=2, persistent_workers=True)
        kept.append(loader)
        found = [int(one) ** 2 for one in loader]
        """,
    ),
]
EVERY = pytest.mark.parametrize(("module", "before", "body"), [row[1:] for row in POOLS], ids=[row[0] for row in POOLS])


def _right_and_quick(bench: Bench, before: str, body: str) -> None:
    returned = "return ' '.join(str(int(one)) for one in found)"
    bench.stage(f"{textwrap.dedent(body)}\n{returned}", f"{before}\n{HELD}")
    bench.model()  # the import is not the stage's
    begun = monotonic()
    ending = bench.done()
    assert monotonic() - begun < BOUND
    assert bench.stored(ending).decode() == RIGHT
    assert ending.warnings == ()


@EVERY
def test_a_pool_imported_in_a_stage_ends_with_it(make_bench: MakeBench, module: str, before: str, body: str) -> None:
    pytest.importorskip(module.partition(".")[0])
    _right_and_quick(make_bench(grace=10.0), "", f"import {module}\n{before}\n{textwrap.dedent(body)}")


@EVERY
def test_a_pool_imported_by_the_pipeline_ends_with_the_stage(
    make_bench: MakeBench, module: str, before: str, body: str
) -> None:
    pytest.importorskip(module.partition(".")[0])
    _right_and_quick(make_bench(grace=10.0), f"import {module}\n{before}", body)


ORDER = """
import atexit, concurrent.futures, os, pathlib, tempfile, threading, time, multiprocessing.util, weakref
def note(what):
    with open("order.txt", "a") as log: log.write(what + chr(10))
class Thing: pass
thing = Thing()
def late():
    time.sleep(0.2)
    note("a thread")
def leave():
    atexit.register(note, "the first handler")
    weakref.finalize(thing, note, "a finalizer")
    atexit.register(note, "the last handler")
    multiprocessing.util.Finalize(None, note, ("a finalizer of multiprocessing",), exitpriority=5)
    threading._register_atexit(note, "the first pool")
    threading._register_atexit(note, "the last pool")
    threading.Thread(target=late).start()
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_stage_ends_in_the_order_of_a_script(make_bench: MakeBench, start: str, tmp_path: Path) -> None:
    bench = make_bench(start=start, grace=10.0)
    bench.stage("leave()\nreturn ''", ORDER)
    bench.done()
    subprocess.run([sys.executable, "-c", f"{ORDER}\nleave()"], cwd=tmp_path, check=True, env=dict(os.environ))
    as_script = (tmp_path / "order.txt").read_text().split("\n")
    assert len(as_script) == 8
    assert bench.read("order.txt").split("\n") == as_script


def test_a_handler_that_a_library_registers_when_it_is_imported_is_called_in_a_fork(bench: Bench) -> None:
    library = bench.root.parent / "site-packages"
    library.mkdir()
    (library / "storage.py").write_text(
        "import atexit\nopened = []\n@atexit.register\ndef close():\n    [one.close() for one in opened]\n"
    )
    bench.stage(
        """
        storage.opened.append(open("out.txt", "w"))
        storage.opened[0].write("buffered")
        return pathlib.Path("out.txt")
        """,
        f"sys.path.append({str(library)!r})\nimport storage\n"
        "Text = Annotated[pathlib.Path, pivot.Out('out.txt', pivot.loaders.PathOnly())]",
    )
    assert bench.stored(bench.done()) == b"buffered"


def test_a_folder_that_the_import_made_is_not_removed_by_the_first_stage(bench: Bench) -> None:
    bench.stage(
        "assert os.path.isdir(folder.name) and os.path.isdir(other)\nreturn ''",
        "import atexit, shutil, tempfile\nfolder, other = tempfile.TemporaryDirectory(), tempfile.mkdtemp()\n"
        "atexit.register(shutil.rmtree, other)",
    )
    bench.done()
    bench.done()


def test_a_folder_that_a_stage_made_is_removed_at_its_end(bench: Bench) -> None:
    bench.stage("kept.append(tempfile.TemporaryDirectory())\nreturn kept[0].name", "import tempfile\nkept = []")
    assert not Path(bench.stored(bench.done()).decode()).exists()


HOLDING = {
    "a process that nobody waits for": """
        import multiprocessing
        p = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)); p.start(); pid = p.pid
    """,
    "a pool with work": """
        import concurrent.futures
        pool = concurrent.futures.ProcessPoolExecutor(1)
        kept.append(pool)
        pid = pool.submit(os.getpid).result()
        pool.submit(time.sleep, 60)
    """,
    "a handler that waits": """
        import atexit
        p = subprocess.Popen(["sleep", "60"]); pid = p.pid; atexit.register(p.wait)
    """,
    "a thread that waits": """
        p = subprocess.Popen(["sleep", "60"]); pid = p.pid; threading.Thread(target=p.wait).start()
    """,
}


@pytest.mark.parametrize("body", HOLDING.values(), ids=HOLDING.keys())
def test_a_child_that_holds_up_the_end_is_named_and_ended(bench: Bench, body: str) -> None:
    bench.stage(f"{textwrap.dedent(body)}\nreturn str(pid)", "kept = []")
    ending = bench.done()
    assert gone(int(bench.stored(ending)))
    assert "held up its end and were stopped" in ending.warnings[0]


def test_a_pool_of_threads_at_work_fails_the_stage(bench: Bench) -> None:
    bench.stage(
        """
        import concurrent.futures
        pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="busy")
        pool.submit(time.sleep, 60)
        return ""
        """
    )
    failed = bench.failed()
    assert failed.kind == "threads"
    assert "busy_0" in failed.message


def test_a_loader_may_compute_in_a_pool_when_the_function_has_returned(bench: Bench) -> None:
    bench.stage(
        "threading.Thread(target=time.sleep, args=(0.1,)).start()\nreturn 'right'",
        """
from concurrent.futures import ThreadPoolExecutor
class Late(pivot.loaders.Writer):
    def save(self, value, path):
        with ThreadPoolExecutor(1) as pool: path.write_text(pool.submit(lambda: value).result())
Text = Annotated[str, pivot.Out("out.txt", Late())]
""",
    )
    assert bench.stored(bench.done()) == b"right"
