"""What moving outputs over SSH costs, beside `scp` and `tar | ssh tar`, over an OpenSSH server on loopback.

    python -m benchmarks.remotes [--rounds 3] [--large MIB] [--files N] [--folder PATH]

Targets: a large file up and down at most 1.3 x `scp` with the same cipher through the `ssh`
program; many small files at most 1.5 x `tar | ssh tar`; a push with nothing to do at most 2 x the bare connection; 200
CSV files of 500 kB with 1 % of their lines changed move under 10 % of their bytes. Each figure is a whole process.
What DVC needs for such work is measured by `benchmarks.compare`.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.ratios import Workload, alternate, table
from benchmarks.ssh_host import SshHost, make_keys

STEP = """
import sys
from pathlib import Path
from pivot.store import StatCache, Store
from pivot.store.exchange import WantedRoot
from pivot.sync.remote.address import parse_address
from pivot.sync.remote.shell_remote import HostRemote
from pivot.sync.transfer.upload import Manner
from pivot.sync.remote.ssh.settings import SshSettings
from pivot.sync.transfer.transfer import Transfer
verb, way, client, name, *bases = sys.argv[1:]
address, settings = parse_address(f"lab:{Path.cwd()}/host/store.git", Path.cwd()), SshSettings(f"{client}/config")
if way == "program":
    from pivot.sync.remote.ssh.openssh_connection import ProgramConnection
    connect = lambda: ProgramConnection(address, settings)
else:
    from pivot.sync.remote.ssh.paramiko_connection import EmbeddedConnection
    from pivot.sync.remote.ssh.target import find_target
    connect = lambda: EmbeddedConnection(find_target(address, settings), 20, lambda file: None)
oid, mode = Path(name).read_text().split()
root = WantedRoot(oid, int(mode))
store = Store.open(Path("two/store.git" if verb == "pull" else "one/store.git"))
manner = Manner("bench", lambda event: None, 4, ("ssh://git.example.org/project",))
with Transfer(store, HostRemote("lab", address.url, address.path, connect), manner) as transfer:
    if verb == "pull":
        moved = transfer.receive(transfer.plan_receive([root], bases))
    else:
        moved = transfer.send(transfer.plan_send([root], bases))
Path("wire").write_text(str(moved.wire))
"""
PUT = """
import sys
from pathlib import Path
from pivot.git.odb.backend import TREE
from pivot.store import StatCache, Store
store = Store.open(Path("one/store.git"))
held = store.put(Path(sys.argv[1]), StatCache.open(Path("no such file")))
Path(sys.argv[2]).write_text(f"{store.put_tree({'out': held})} {TREE}")
"""


class Bench:
    """One folder with a client's two stores, a host's store, and a server between them."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.folder = folder
        self.rounds = rounds
        self.client = folder / "client"
        make_keys(self.client)
        self.host = SshHost(folder, self.client)
        (folder / "host").mkdir()

    def ssh(self, *command: str) -> list[str]:
        return ["ssh", "-F", str(self.client / "config"), "lab", *command]

    def put(self, path: str, name: str) -> None:
        subprocess.run([sys.executable, "-c", PUT, path, name], cwd=self.folder, check=True)

    def step(self, verb: str, way: str, name: str, prepare: Callable[[], None] | None) -> Workload:
        command = [sys.executable, "-c", STEP, verb, way, str(self.client), name]
        return Workload(f"{verb}, {way}", command, self.folder, prepare=prepare)

    def clear_host(self) -> None:
        shutil.rmtree(self.folder / "host", ignore_errors=True)
        (self.folder / "host").mkdir()

    def clear_two(self) -> None:
        shutil.rmtree(self.folder / "two", ignore_errors=True)
        (self.folder / "two").mkdir()

    def compare(self, title: str, floors: tuple[Workload, Workload], name: str) -> None:
        """Push and pull of one object, each beside its floor."""
        ways = ("program", "paramiko")
        pushes = [floors[0], *(self.step("push", way, name, self.clear_host) for way in ways)]
        say(f"## {title}\n\n{table(alternate(pushes, self.rounds), floors[0].name)}")
        pulls = [*(self.step("pull", way, name, self.clear_two) for way in ways), floors[1]]
        say(table(alternate(pulls, self.rounds), floors[1].name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1024, help="MiB of the large file")
    parser.add_argument("--files", type=int, default=10_000, help="small files of 10 KiB")
    parser.add_argument("--folder", type=Path, help="where to work: the file system that is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pivot-bench-", dir=options.folder) as name:
        bench = Bench(Path(name), options.rounds)
        bench.host.start()
        try:
            measure_nothing(bench)
            measure_small(bench, options.files)
            measure_versions(bench)
            measure_large(bench, options.large)
        finally:
            bench.host.stop()


def measure_large(bench: Bench, mebibytes: int) -> None:
    block = random.randbytes(16 << 20)
    with (bench.folder / "large").open("wb") as file:
        for number in range(mebibytes // 16):
            file.write(number.to_bytes(8) + block[8:])
    bench.put("large", "large.id")
    scp = ["scp", "-q", "-F", str(bench.client / "config")]
    up = Workload("scp", [*scp, "large", f"lab:{bench.folder}/host/copy"], bench.folder, prepare=bench.clear_host)
    down = Workload("scp back", [*scp, f"lab:{bench.folder}/large", "two/copy"], bench.folder, prepare=bench.clear_two)
    bench.compare(f"A file of {mebibytes} MiB", (up, down), "large.id")


def measure_small(bench: Bench, files: int) -> None:
    make_tree(bench.folder / "small", files)
    bench.put("small", "small.id")
    config = f"-F {bench.client}/config"
    there = f"tar -C {bench.folder}/host -xf -"
    up = ["sh", "-c", f"tar -cf - small | ssh {config} lab '{there}'"]
    down = ["sh", "-c", f"ssh {config} lab 'tar -C {bench.folder} -cf - small' | tar -C two -xf -"]
    floors = (
        Workload("tar | ssh tar", up, bench.folder, prepare=bench.clear_host),
        Workload("ssh tar | tar", down, bench.folder, prepare=bench.clear_two),
    )
    bench.compare(f"{files} files of 10 KiB", floors, "small.id")


def measure_nothing(bench: Bench) -> None:
    (bench.folder / "one file").write_text("one")
    bench.put("one file", "one.id")
    subprocess.run(bench.step("push", "program", "one.id", None).command, cwd=bench.folder, check=True)
    bare = Workload("ssh lab true", bench.ssh("true"), bench.folder)
    again = [bench.step("push", way, "one.id", None) for way in ("program", "paramiko")]
    say(f"## Nothing to do\n\n{table(alternate([bare, *again], 3 * bench.rounds), bare.name)}")


def measure_versions(bench: Bench) -> None:
    """How many bytes a changed output moves, of the bytes that it has."""
    bench.clear_host()
    source = random.Random(5)
    tables = {number: [_line(source) for _ in range(12_500)] for number in range(200)}
    old = _write_tables(bench, tables, "old")
    subprocess.run(bench.step("push", "program", "old.id", None).command, cwd=bench.folder, check=True)
    for lines in tables.values():
        for _ in range(len(lines) // 100):
            lines[source.randrange(len(lines))] = _line(source)
    size = _write_tables(bench, tables, "new")
    base = (bench.folder / "old.id").read_text().split()[0]
    command = [*bench.step("push", "program", "new.id", None).command, base]
    subprocess.run(command, cwd=bench.folder, check=True)
    wire = int((bench.folder / "wire").read_text())
    say(f"## 200 CSV files of {old // 200} bytes, 1 % of the lines changed\n\n{wire / size:.2%} of the bytes moved")


def _write_tables(bench: Bench, tables: dict[int, list[str]], name: str) -> int:
    folder = bench.folder / name
    folder.mkdir()
    for number, lines in tables.items():
        (folder / f"{number:03}.csv").write_text("".join(lines))
    bench.put(name, f"{name}.id")
    return sum(path.stat().st_size for path in folder.iterdir())


def _line(source: random.Random) -> str:
    return f"{source.randrange(10**6)},{source.random():.6f},name{source.randrange(10**7):018}\n"


def make_tree(folder: Path, files: int) -> None:
    """Files in folders of a hundred."""
    source = random.Random(4)
    for number in range(files):
        path = folder / f"{number // 100:03}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(10_240))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
