"""What a switch of branches costs: the hook alone, with nothing to restore and with three outputs of a hundred.

    python -m benchmarks.switching [--stages 100] [--rounds 15] [--library pandas]

Needs git-pivot on PATH, and the library that the pipeline imports. The floor is a bare `python -c pass`; targets are
at most 6 times that with nothing to restore, and at most 10 times with three outputs.
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

PIPELINE = """\
from typing import Annotated

import {library}

import pivot

import change

pipeline = pivot.Pipeline("switching")
"""

STAGE = """

@pipeline.register
def stage_{number}() -> Annotated[list, pivot.Out("out/{number}.json", pivot.loaders.JSON())]:
    return [{number}{change}]
"""

CHANGED = 3  # stages whose outputs differ between the branches
HOOK = ".git/hooks/post-checkout"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--library", default="pandas")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-") as folder:
        repository = make_repository(Path(folder), options.stages, options.library)
        samples = alternate(workloads(repository), options.rounds)
    sys.stdout.write(
        f"{options.stages} stages, a pipeline that imports {options.library}; medians of {options.rounds} rounds in "
        f"turn; Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs\n\n"
        f"{table(samples, 'python -c pass')}\n"
    )


def make_repository(folder: Path, stages: int, library: str) -> Path:
    """Branch `main`; `same`, which differs in a file that no stage reads; `other`, with three other outputs."""
    body = "".join(
        STAGE.format(number=number, change=f" + change.BY_{number}" if number < CHANGED else "")
        for number in range(stages)
    )
    (folder / "pipeline.py").write_text(PIPELINE.format(library=library) + body)
    git(folder, "init", "-q", "--initial-branch=main")
    git(folder, "config", "user.name", "b")
    git(folder, "config", "user.email", "b@example.com")
    _commit(folder, 0)
    subprocess.run(["git-pivot", "hooks", "install"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    git(folder, "switch", "-q", "--create", "same")
    (folder / "README").write_text("no stage reads this\n")
    _commit(folder, 0)
    git(folder, "switch", "-q", "--create", "other")
    _commit(folder, 1000)
    return folder


def workloads(repository: Path) -> list[Workload]:
    """Each hook is called as Git calls it, after a switch that called none."""
    commits = {name: git(repository, "rev-parse", name) for name in ("main", "same", "other")}

    def move(old: str, new: str, *, settled: bool) -> None:
        git(repository, "switch", "-q", old)
        git(repository, "-c", "core.hooksPath=/dev/null", "switch", "-q", new)
        if settled and git(repository, "status", "--porcelain"):
            raise SystemExit("the work tree is not clean")

    def hook(old: str, new: str) -> list[str]:
        return [HOOK, commits[old], commits[new], "1"]

    return [
        Workload("python -c pass", [sys.executable, "-c", "pass"], repository),
        Workload(
            "nothing to restore",
            hook("main", "same"),
            repository,
            prepare=lambda: move("main", "same", settled=True),
        ),
        Workload(
            f"{CHANGED} outputs restored",
            hook("main", "other"),
            repository,
            prepare=lambda: move("main", "other", settled=False),
        ),
    ]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _commit(folder: Path, change: int) -> None:
    """A commit, all of whose stages have run."""
    (folder / "change.py").write_text("".join(f"BY_{number} = {change}\n" for number in range(CHANGED)))
    git(folder, "add", "change.py", "pipeline.py", *(["README"] if (folder / "README").exists() else []))
    git(folder, "commit", "-q", "-m", "step")
    subprocess.run(["git-pivot", "repro", "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
