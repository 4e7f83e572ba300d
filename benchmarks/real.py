"""Real libraries: what 20 stages of five kinds of project cost, next to other tools.

    python -m benchmarks.real [--rounds 3] [--stages 20] [--shape polars]

Installs Pivot, doit, pytask, Snakemake and the libraries into one virtual environment in your cache. The floor is a
bare Python that imports everything once and calls the same functions one after another. The target: at most 1.3 times
its CPU time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.compare.contestant import Contestant
from benchmarks.compare.environments import NotInstalled, install, version
from benchmarks.compare.machine import machine
from benchmarks.compare.peer import make_place
from benchmarks.compare.peers import doit, pivot, pytask, snakemake
from benchmarks.compare.project import DATA, Project, Step
from benchmarks.compare.race import Leg, Legs, Section, Terms, race
from benchmarks.compare.report import page
from benchmarks.ratios import Workload

PEERS = (pivot.PEER, doit.PEER, pytask.PEER, snakemake.PEER)
LIBRARIES = ("pyarrow", "scikit-learn", "matplotlib", "polars")
MODULES = 20
LIMIT = 600.0
HEAD = """\
# Real libraries

{count} steps, {machine}. {versions}. Pivot and Snakemake run two steps at a time, each in a process of its own. doit
and pytask run all in their own process. The floor is one import and the bodies, in one bare Python."""

PANDAS = """\
frame = pd.DataFrame({{"k": [n % 7 for n in range(20000)], "v": range(20000)}})
table = pa.Table.from_pandas(frame.groupby("k", as_index=False).v.sum())
sink = pa.BufferOutputStream()
pq.write_table(table, sink)
total = sum(pq.read_table(pa.BufferReader(sink.getvalue()))["v"].to_pylist())
out.write_text(f"{{total + {number}}}\\n")"""
SKLEARN = """\
X = np.arange(4000.0).reshape(1000, 4) % 17
model = LogisticRegression(max_iter=50).fit(X, X[:, 0] > 8)
out.write_text(f"{{int(model.score(X, X[:, 0] > 8) > 0.5) + {number}}}\\n")"""
MATPLOTLIB = """\
figure, axes = plt.subplots()
axes.plot(range(100), [n * n for n in range(100)])
image = io.BytesIO()
figure.savefig(image, format="png")
plt.close(figure)
out.write_text(f"{{image.getvalue().count(b'PNG') + {number}}}\\n")"""
POLARS = """\
frame = pl.DataFrame({{"k": [n % 7 for n in range(20000)], "v": list(range(20000))}})
total = frame.lazy().group_by("k").agg(pl.col("v").sum()).collect()["v"].sum()
out.write_text(f"{{total + {number}}}\\n")"""
OWN = """\
out.write_text(f"{{own.compute({number}, 20000) + {number}}}\\n")"""
OWN_MODULE = """\
import dataclasses
import json


@dataclasses.dataclass
class Row:
    number: int

    def value(self):
        return self.number * {number}


def compute(count):
    return sum(json.loads(json.dumps([Row(n).value() for n in range(count)])))
"""
OWN_ENTRY = """\
{imports}

MODULES = [{names}]


def compute(number, count):
    return MODULES[number % {modules}].compute(count)
"""
SUM = sum(range(20000))


def shapes(count: int) -> Mapping[str, Project]:
    """The projects, by what they use."""
    names = [f"own_{number}" for number in range(MODULES)]
    own = {f"{name}.py": OWN_MODULE.format(number=number) for number, name in enumerate(names)}
    entry = "\n".join(f"import {name}" for name in names)
    own["own.py"] = OWN_ENTRY.format(imports=entry, names=", ".join(names), modules=MODULES)
    tables = "pandas as pd\nimport pyarrow as pa\nimport pyarrow.parquet as pq"
    models = "numpy as np\nfrom sklearn.linear_model import LogisticRegression"
    plots = "io\nimport matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt"
    return {
        "pandas and pyarrow": _project(count, tables, PANDAS, lambda number: SUM + number),
        "scikit-learn": _project(count, models, SKLEARN, lambda number: 1 + number),
        "matplotlib": _project(count, plots, MATPLOTLIB, lambda number: 1 + number),
        "polars": _project(count, "polars as pl", POLARS, lambda number: SUM + number),
        "own library of 20 modules": _project(
            count, "own", OWN, lambda number: SUM * (number % MODULES) + number, extra=own
        ),
    }


def _project(
    count: int, imports: str, body: str, expected: Callable[[int], int], extra: Mapping[str, str] | None = None
) -> Project:
    steps = [
        Step(f"step_{number}", (DATA,), body.format(number=number).replace("\n", "\n    ")) for number in range(count)
    ]

    def is_right(folder: Path, _edit: int) -> bool:
        paths = [folder / step.out for step in steps]
        return all(path.is_file() and path.read_text() == f"{expected(at)}\n" for at, path in enumerate(paths))

    return Project(tuple(steps), is_right, imports=imports, extra=extra or {})


def measure(shape: str, project: Project, contestants: Sequence[Contestant], terms: Terms, folder: Path) -> Section:
    """First runs of everybody, in turn."""
    bare = folder / "bare"
    bare.mkdir()
    project.write(bare, folder / "log")
    (bare / "out").mkdir()
    python = contestants[0].place.python

    def floor(_number: int) -> Iterator[Leg]:
        yield Leg("first run", Workload("one process", [python, "bare.py"], bare))

    def legs(contestant: Contestant) -> Legs:
        def one_round(_number: int) -> Iterator[Leg]:
            contestant.begin(project)
            yield contestant.leg("first run", project, 0, len(project.steps))

        return one_round

    rows = race({"one process": floor}, {one.peer.name: legs(one) for one in contestants}, terms)
    return Section(shape, "", rows, len(project.steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stages", type=int, default=20)
    parser.add_argument("--shape", help="only shapes with this word in their name")
    options = parser.parse_args()
    packages = tuple(package for peer in PEERS for package in peer.packages)
    try:
        programs = install("real", (*packages, *LIBRARIES))
    except NotInstalled as error:
        sys.exit(f"not everything could be installed: {error}")
    sections = []
    for shape, project in shapes(options.stages).items():
        if options.shape and options.shape not in shape:
            continue
        with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
            contestants = [
                Contestant(peer, make_place(programs, str(programs / "python"), Path(folder, peer.name.lower())))
                for peer in PEERS
            ]
            sections.append(measure(shape, project, contestants, Terms(options.rounds, LIMIT), Path(folder)))
    versions = ", ".join(f"{peer.name} {version(peer, programs)}" for peer in PEERS)
    sys.stdout.write(page(HEAD.format(count=options.stages, machine=machine(), versions=versions), sections))


if __name__ == "__main__":
    main()
