"""`python -m tests.torture [TRIALS] [SEED]`: kill -9 at random moments, then check the repository."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from tests.torture.trial import make_repo, torture


def main(trials: int, seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        repo = make_repo(Path(folder))
        killed = sum(torture(repo, chance) for _ in range(trials))
    sys.stdout.write(f"{trials} trials with seed {seed}: {killed} commands killed, nothing lost or left\n")


if __name__ == "__main__":
    main(int(sys.argv[1] if len(sys.argv) > 1 else 500), int(sys.argv[2] if len(sys.argv) > 2 else 1))
