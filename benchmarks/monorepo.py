"""What it costs to look at many pipelines in a large tree, against the same stages in one pipeline file.

    python -m benchmarks.monorepo [--pipelines 100] [--stages 1000] [--files 10000] [--rounds 10]

Needs git-pivot on PATH. `git pivot status` is measured, with nothing kept of an earlier decision: discovery, the
analyses that are kept, and a decision for each stage. In CPU, pipelines in folders of their own among many files are
to cost at most twice what one file costs in an empty tree.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.ratios import Workload, alternate, table

HEAD = """\
from typing import Annotated

import pivot
from shared.numbers import double

pipeline = pivot.Pipeline("team")
"""

STAGE = """

@pipeline.register
def stage_{number}(values: Annotated[list, pivot.Dep("data.json")]) -> Annotated[list, pivot.Out("out_{number}.json")]:
    return double(values) + [{number}]
"""

FLOOR = "one pipeline"
FILES_A_FOLDER = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pipelines", type=int, default=100)
    parser.add_argument("--stages", type=int, default=1000)
    parser.add_argument("--files", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        many = f"{options.pipelines} pipelines, {options.files} files"
        repositories = {
            FLOOR: make_repository(Path(folder, "one"), 1, options.stages, 0),
            many: make_repository(Path(folder, "many"), options.pipelines, options.stages, options.files),
        }
        looks = [Workload(name, ["git-pivot", "status"], repository) for name, repository in repositories.items()]
        bare = Workload("python -c pass", [sys.executable, "-c", "pass"], Path(folder))
        samples = alternate([*looks, bare], options.rounds)
    sys.stdout.write(
        f"{options.stages} stages, looked at; medians of {options.rounds} rounds in turn; "
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs\n\n"
        f"{table(samples, FLOOR)}\n"
    )


def make_repository(root: Path, pipelines: int, stages: int, files: int) -> Path:
    """A committed repository whose stages have never run; the analyses are made by the first look."""
    (root / "shared").mkdir(parents=True)
    (root / "shared" / "__init__.py").touch()
    (root / "shared" / "numbers.py").write_text("def double(values):\n    return [2 * value for value in values]\n")
    for team in range(pipelines):
        folder = root / f"team_{team}"
        folder.mkdir()
        numbers = range(team, stages, pipelines)
        (folder / "pipeline.py").write_text(HEAD + "".join(STAGE.format(number=number) for number in numbers))
        (folder / "data.json").write_text("[1, 2, 3]\n")
    for number in range(files):
        path = root / f"team_{number % pipelines}" / f"part_{number // pipelines // FILES_A_FOLDER}" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for command in ("git init -q", "git add .", "git -c user.name=b -c user.email=b@example.com commit -qm start"):
        subprocess.run(command.split(), cwd=root, check=True)
    return root


if __name__ == "__main__":
    main()
