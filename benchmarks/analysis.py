"""What the analysis of many stages costs, against parsing the same modules.

    python -m benchmarks.analysis [--stages 1000] [--modules 200] [--rounds 3]

The target: at most three times the CPU time of `ast.parse` over all modules. Each side starts an interpreter; what a
bare one costs stands in the table. The first analysis of a project also compiles every module, once.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from itertools import count
from pathlib import Path

from benchmarks.ratios import Workload, alternate, table

PARSE = """
import ast, pathlib
for path in pathlib.Path(".").rglob("*.py"):
    ast.parse(path.read_bytes())
"""

ANALYSE = """
import pathlib
from pivot.code.analysis.analyse import analyse
model = analyse(pathlib.Path.cwd(), "pipeline.py", cache=pathlib.Path(".cache")).model
assert len(model.stages) == {stages}, len(model.stages)
"""

FUNCTION = '''

def step_{number}(rows, factor={number}):
    """Weigh rows; the numbers make every function another one."""
    total = 0
    for index, row in enumerate(rows):
        if row is None or index % {modulus} == 0:
            continue
        total += weigh_{number}(row) * factor
    return [value + total for value in (1, 2, {number})]


def weigh_{number}(row):
    names = {{"a": {number}, "b": 2, "c": [3, 4, {number}]}}
    return sum(len(str(value)) for value in names.values()) + len(str(row)) + LIMIT
'''

STAGE = """

@pipeline.register
def stage_{number}(
    rows: Annotated[list, pivot.Dep("data.json", pivot.loaders.JSON())],
) -> Annotated[list, pivot.Out("out/{number}.json", pivot.loaders.JSON())]:
    return part_{module}.step_{function}(rows) + part_{other}.step_{function}(rows)
"""

FLOOR = "ast.parse of all modules"
FUNCTIONS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--modules", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        size = write_project(Path(folder), options.stages, options.modules)
        samples = alternate(workloads(Path(folder), options.stages), options.rounds)
    sys.stdout.write(
        f"{options.stages} stages over {options.modules} modules, {size / 1e6:.1f} MB of source; medians of "
        f"{options.rounds} rounds in turn; Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} CPUs\n\n{table(samples, FLOOR)}\n"
    )


def write_project(folder: Path, stages: int, modules: int) -> int:
    """The project's files; how many bytes of source they hold."""
    texts = {f"part_{number}.py": _module(number) for number in range(modules)}
    imports = "".join(f"import part_{number}\n" for number in range(modules))
    body = "".join(
        STAGE.format(number=number, module=number % modules, other=(number * 7) % modules, function=number % FUNCTIONS)
        for number in range(stages)
    )
    head = "from typing import Annotated\nimport pivot\n"
    texts["pipeline.py"] = f'{head}{imports}pipeline = pivot.Pipeline("bench")\n{body}'
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sum(map(len, texts.values()))


def _module(number: int) -> str:
    functions = (FUNCTION.format(number=at, modulus=number + at + 2) for at in range(FUNCTIONS))
    return f"LIMIT = {number}\n" + "".join(functions)


def workloads(folder: Path, stages: int) -> list[Workload]:
    analyse = [sys.executable, "-P", "-c", ANALYSE.format(stages=stages)]
    numbers = count()

    def edit() -> None:
        with (folder / "part_0.py").open("a", encoding="utf-8") as module:
            module.write(f"LIMIT = {next(numbers)}\n")

    return [
        Workload(FLOOR, [sys.executable, "-c", PARSE], folder),
        Workload("analysis after an edit", analyse, folder, prepare=edit),
        Workload("first analysis", analyse, folder, prepare=lambda: shutil.rmtree(folder / ".cache", True)),
        Workload("python -c pass", [sys.executable, "-c", "pass"], folder),
    ]


if __name__ == "__main__":
    main()
