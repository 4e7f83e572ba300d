"""What the store costs, beside the least that the same work could cost.

    python -m benchmarks.store [--rounds 5] [--large MIB] [--files N] [--folder PATH]

Targets: a fresh large output at most 1.5 x reading it once with BLAKE3 and one fsync; restoring it
by link under 50 ms of work; many small files: put at most 1.5 x (random) and 3 x (CSV) a plain `cp -r`, restore at most
1.5 x and 2.5 x; checking them again at most 3 x a bare Python that scans and stats them; memory under 200 MiB.
Each figure is a whole process, Python's start included. `cp` syncs nothing; a put does.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.ratios import Workload, alternate, table

BARE = "bare Python"
SCAN = """
import os
def scan(path):
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                scan(entry.path)
            else:
                entry.stat(follow_symlinks=False)
scan("tree")
"""
READ = """
import os
from blake3 import blake3
with open("large", "rb", buffering=0) as file:
    hasher, buffer = blake3(), bytearray(4 << 20)
    while count := file.readinto(buffer):
        hasher.update(memoryview(buffer)[:count])
    os.fsync(file.fileno())
"""
STEP = """
import resource, sys
from pathlib import Path
from pivot.store import Object, StatCache, Store
step, path, store = sys.argv[1], Path(sys.argv[2]), Store.open(Path("pivot/store.git"), link="hardlink")
stats = StatCache.open(Path("pivot/stat"))
if step == "restore":
    oid, mode, size = Path("held").read_text().split()
    store.restore(Object(oid, int(mode), int(size)), path, stats)
else:
    held = store.put(path, stats) if step == "put" else store.identify(path, stats)
    Path("held").write_text(f"{held.id} {held.mode} {held.size}")
stats.save()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1 << 20)
Path("peak").write_text(str(max(peak, int(Path("peak").read_text() if Path("peak").exists() else 0))))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=1024, help="MiB of the large file")
    parser.add_argument("--files", type=int, default=10_000, help="small files of 10 KiB")
    parser.add_argument("--folder", type=Path, help="where to work: the file system that is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-", dir=options.folder) as name:
        folder = Path(name)
        report(f"A file of {options.large} MiB", measure_large(folder, options.large, options.rounds), folder)
        for kind in ("random", "CSV"):
            make_tree(folder / "source", options.files, kind)
            title = f"{options.files} files of 10 KiB, {kind}"
            report(title, measure_small(folder, options.rounds), folder)
            shutil.rmtree(folder / "source")


def report(title: str, tables: list[str], folder: Path) -> None:
    peak = int((folder / "peak").read_text())
    (folder / "peak").unlink()
    sys.stdout.write(f"## {title}\n\n" + "\n\n".join(tables) + f"\n\nPeak memory: {peak} MiB\n\n")
    sys.stdout.flush()


def step(name: str, folder: Path, path: str, prepare: Callable[[], None] | None = None) -> Workload:
    return Workload(
        f"pivot: {name}", [sys.executable, "-c", STEP, name.partition(" ")[0], path], folder, prepare=prepare
    )


def measure_large(folder: Path, mebibytes: int, rounds: int) -> list[str]:
    def fresh() -> None:
        """A file that was just written, and is not on the disk yet."""
        forget(folder)
        (folder / "large").unlink(missing_ok=True)
        block = random.randbytes(16 << 20)
        with (folder / "large").open("wb") as file:
            for number in range(mebibytes // 16):
                file.write(number.to_bytes(8) + block[8:])

    floor = "read with BLAKE3, fsync"
    put = [
        Workload(floor, [sys.executable, "-c", READ], folder, prepare=fresh),
        step("put", folder, "large", fresh),
    ]
    first = table(alternate(put, rounds), floor)
    restore = [
        Workload(BARE, [sys.executable, "-c", "pass"], folder),
        # What is above this is the work itself; a command that does more has imported most of it anyway.
        Workload("importing the store", [sys.executable, "-c", "import pivot.store"], folder),
        step("restore by link", folder, "large", (folder / "large").unlink),
        step("check again", folder, "large"),
    ]
    second = table(alternate(restore, rounds), BARE)
    (folder / "large").unlink()
    return [first, second]


def measure_small(folder: Path, rounds: int) -> list[str]:
    def fresh() -> None:
        forget(folder)
        shutil.rmtree(folder / "tree", ignore_errors=True)
        shutil.copytree(folder / "source", folder / "tree")

    def gone() -> None:
        shutil.rmtree(folder / "tree", ignore_errors=True)

    def no_copy() -> None:
        shutil.rmtree(folder / "copy", ignore_errors=True)

    copy = Workload("cp -r", ["cp", "-r", "source", "copy"], folder, prepare=no_copy)
    first = table(alternate([copy, step("put", folder, "tree", fresh)], rounds), "cp -r")
    second = table(alternate([copy, step("restore", folder, "tree", gone)], rounds), "cp -r")
    no_copy()
    for command in ("git init -q", "git add tree"):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    again = [
        Workload("scan and stat", [sys.executable, "-c", SCAN], folder),
        step("check again", folder, "tree"),
        Workload("git status", ["git", "status", "--porcelain", "tree"], folder),
    ]
    third = table(alternate(again, rounds), "scan and stat")
    shutil.rmtree(folder / ".git")
    gone()
    return [first, second, third]


def forget(folder: Path) -> None:
    shutil.rmtree(folder / "pivot", ignore_errors=True)


def make_tree(folder: Path, files: int, kind: str) -> None:
    """Files in folders of a hundred."""
    source = random.Random(4)
    for number in range(files):
        path = folder / f"{number // 100:03}" / f"{number:06}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(10_240) if kind == "random" else _csv(source))


def _csv(source: random.Random) -> bytes:
    rows = (f"{source.randrange(10**6)},{source.random():.6f},name{source.randrange(50)}\n" for _ in range(420))
    return "".join(rows).encode()[:10_240]


if __name__ == "__main__":
    os.umask(0o022)
    main()
