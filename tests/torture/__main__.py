"""`python -m tests.torture [TRIALS] [SEED] [LOG]`: kill -9 at random moments, then check the repository.

With LOG each trial is a line of that file, and a run continues where the file ends: several runs with a seed and a file
each can go on at the same time. A failed trial does not end the run: it leaves a copy of the repository next to the
log, and the trials continue in a new one.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.seal import seal_environment
from tests.support.sshd import SSHD, run_sshd
from tests.torture.kill import Windows
from tests.torture.project import Project
from tests.torture.trial import Trial, torture


@contextlib.contextmanager
def _project() -> Iterator[Project]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "home").mkdir()
        seal_environment(stack.enter_context(pytest.MonkeyPatch.context()), folder / "home", folder)
        (folder / "sshd").mkdir()
        yield Project(folder, stack.enter_context(run_sshd(folder / "sshd")) if SSHD else None)


def main(trials: int, seed: int, log: Path | None) -> int:
    done, failed = _read(log), 0
    windows = Windows()
    while len(done) + failed < trials:
        with _project() as project:
            try:
                while len(done) + failed < trials:
                    chance = random.Random(f"{seed} {len(done) + failed}")
                    done.append(torture(project, chance, windows))
                    _write(log, f"{len(done)}: {done[-1]}\n", done[-1])
            except Exception:
                failed += 1
                sys.stdout.write(f"FAILED: {traceback.format_exc()}\n")
                if log:
                    kept = log.with_name(f"{log.name}-failed-{seed}-{len(done) + failed}")
                    shutil.copytree(project.repo.path.parent, kept, symlinks=True)
    sys.stdout.write(f"seed {seed}: {_summary(done)}; {failed} failed\n")
    return 1 if failed else 0


def _read(log: Path | None) -> list[Trial]:
    lines = log.read_text().splitlines() if log and log.exists() else []
    return [Trial(*json.loads(line)) for line in lines]


def _write(log: Path | None, text: str, trial: Trial) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
    if log:
        with log.open("a") as file:
            file.write(json.dumps(trial) + "\n")


def _summary(done: Sequence[Trial]) -> str:
    killed = [trial for trial in done if trial.killed]
    kinds, commands = Counter(trial.kind for trial in killed), Counter(trial.command for trial in killed)
    over_ssh = sum(trial.remote == "far" for trial in killed)
    return f"{len(done)} trials, {len(killed)} killed: {dict(kinds)}, {dict(commands)}, {over_ssh} of them over SSH"


if __name__ == "__main__":
    given = [*sys.argv[1:], *("500", "1", "")[len(sys.argv) - 1 :]]
    sys.exit(main(int(given[0]), int(given[1]), Path(given[2]).absolute() if given[2] else None))
