"""Feed one format many inputs: `python -m tests.fuzz.run FORMAT [COUNT] [SEED]`; without a format all, one job each.

A job has a gibibyte of memory, and five seconds for an input. It ends with 1 at the first input for which the reader
raises what is no error of Pivot's, takes too long, or needs more memory; the input is printed and can be given again.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEMORY = 1 << 30
SECONDS = 5
COUNT = 100_000


class TooSlowError(Exception):
    """An input took longer than `SECONDS`."""


def _too_slow(_signal: int, _frame: object) -> None:
    raise TooSlowError(f"more than {SECONDS} seconds")


def fuzz(name: str, count: int, seed: int) -> str:
    """What went wrong, or nothing."""
    from tests.fuzz.formats import FORMATS, REFUSALS
    from tests.fuzz.mutate import mutated

    samples, read = FORMATS[name]
    for sample in samples:
        try:
            read(sample)
        except REFUSALS:
            if len(samples) == 1:  # of several, some are for one of the questions only
                raise
    chance = random.Random(f"{name} {seed}")
    signal.signal(signal.SIGALRM, _too_slow)
    for number in range(count):
        data = mutated(samples, chance)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            read(data)
        except REFUSALS:
            continue
        except Exception as error:
            return f"{name}: input {number} of seed {seed}: {type(error).__name__}: {error}\n{data[:2000]!r}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


def main(arguments: list[str]) -> int:
    names, count, seed = arguments[:1], int((arguments[1:2] or [str(COUNT)])[0]), int((arguments[2:3] or ["1"])[0])
    if names and names != ["all"]:
        from tests.fuzz import formats

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        memory = Path("/dev/shm")
        formats.FOLDER = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
        began = time.monotonic()
        wrong = fuzz(names[0], count, seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        sys.stdout.write(f"{wrong or names[0]}: {count:,} inputs, {time.monotonic() - began:.0f} s, {peak} MiB\n")
        return 1 if wrong else 0
    from tests.fuzz.formats import FORMATS

    jobs = [[sys.executable, "-m", "tests.fuzz.run", name, str(count), str(seed)] for name in FORMATS]
    return max(subprocess.run(job, check=False).returncode for job in jobs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
