"""Stages are forked where the threads that an import leaves are known to survive it, which is proven here."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from tests.support.workers import Bench

FORKS = 500

# (library, code that runs once, code that stirs the library's own thread before each fork, what the child computes)
THREADED = [
    (
        "pyarrow",
        "import io, pandas, pyarrow as pa, pyarrow.compute, pyarrow.parquet as pq",
        "[pa.allocate_buffer(1 << 20) for _ in range(20)]",
        """
        table = pa.table({"k": [0, 1, 2] * 500, "v": range(1500)})
        assert sum(table.group_by("k", use_threads=True).aggregate([("v", "sum")])["v_sum"].to_pylist()) == 1124250
        buffer = io.BytesIO(); pq.write_table(table, buffer); buffer.seek(0)
        assert pq.read_table(buffer, use_threads=True).num_rows == 1500
        """,
    ),
    (
        "pandas",
        "import pandas as pd, pyarrow as pa",
        "[pa.allocate_buffer(1 << 20) for _ in range(20)]",
        """
        frame = pd.DataFrame({"k": ["a", "b", "c"] * 500, "v": range(1500)})
        assert frame.groupby("k").v.sum().sum() == 1124250
        assert frame.k.str.upper().nunique() == 3
        """,
    ),
    (
        "polars",
        "import polars as pl",
        "",
        """
        frame = pl.DataFrame({"k": [0, 1, 2] * 500, "v": list(range(1500))})
        assert frame.lazy().group_by("k").agg(pl.col("v").sum()).collect()["v"].sum() == 1124250
        """,
    ),
    (
        "sklearn",
        "import sklearn.linear_model, sklearn.cluster, numpy as np; X = np.arange(400.0).reshape(100, 4) % 17",
        "",
        """
        sklearn.cluster.KMeans(2, n_init=1, max_iter=2).fit(X)
        sklearn.linear_model.LinearRegression().fit(X, X[:, 0])
        """,
    ),
]

PROOF = """
import os, signal
from pivot.worker.start_method import choose_start_method
{once}
assert choose_start_method("auto") == ("fork", ""), choose_start_method("auto")
for number in range({forks}):
    {stir}
    pid = os.fork()
    if pid == 0:
        signal.alarm(120)
        try:
{child}
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0, number
"""


@pytest.mark.parametrize(("library", "once", "stir", "child"), THREADED, ids=[row[0] for row in THREADED])
def test_a_library_computes_in_parallel_in_every_fork(library: str, once: str, stir: str, child: str) -> None:
    pytest.importorskip(library)
    body = textwrap.indent(textwrap.dedent(child).strip(), " " * 12)
    source = PROOF.format(once=once, forks=FORKS, stir=stir or "pass", child=body)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},  # on a busy machine waiting threads would take the cores
    )
    assert done.returncode == 0, done.stderr[-2000:]


IMPORTS = {
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow.parquet",
    "scikit-learn": "sklearn.linear_model",
    "polars": "polars",
    "matplotlib": "matplotlib.pyplot",
    "torch": "torch",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "numba": "numba",
    "grpc": "grpc",
    "dask": "dask.delayed",
}


@pytest.mark.parametrize("module", IMPORTS.values(), ids=IMPORTS.keys())
def test_an_import_of_a_usual_library_leaves_the_fork(bench: Bench, module: str) -> None:
    pytest.importorskip(module.partition(".")[0])
    bench.stage(f"import {module}\nreturn str(os.getppid())", f"import {module}")
    bench.model()
    connection = bench.workers._servers.connect("pipeline.py")
    assert (connection.start, connection.why) == ("fork", "")
    bench.done()


def test_threads_of_the_project_forbid_the_fork(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.stage("return 'right'", "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()")
    bench.model()
    connection = bench.workers._servers.connect("pipeline.py")
    assert (connection.start, connection.why) == ("spawn", "the import left 1 more thread running")
    assert bench.stored(bench.done()) == b"right"


def test_the_time_of_a_spawned_stage_has_its_import_in_it(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(start="spawn")
    bench.stage("return 'right'", "time.sleep(0.7)")
    bench.model()
    assert bench.done().seconds > 0.7
