"""`python -m tests.torture [TRIALS] [SEED]`: kill -9 at random moments, then check the repository."""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests.support.seal import seal_environment
from tests.support.sshd import SSHD, run_sshd
from tests.torture.project import Project
from tests.torture.trial import torture


def main(trials: int, seed: int) -> None:
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "home").mkdir()
        seal_environment(stack.enter_context(pytest.MonkeyPatch.context()), folder / "home", folder)
        (folder / "sshd").mkdir()
        server = stack.enter_context(run_sshd(folder / "sshd")) if SSHD else None
        project = Project(folder, server)
        done = []
        for _ in range(trials):
            done.append(torture(project, chance))
            sys.stdout.write(f"{len(done)}: {done[-1]}\n")
            sys.stdout.flush()
    killed = Counter(trial.kind for trial in done if trial.killed)
    sys.stdout.write(f"{trials} trials with seed {seed}, nothing lost or left; killed: {dict(killed)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1] if len(sys.argv) > 1 else 500), int(sys.argv[2] if len(sys.argv) > 2 else 1))
