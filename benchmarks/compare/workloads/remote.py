"""Outputs to a host and back, over an OpenSSH server on loopback: push, push with nothing new, pull into a clone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare.contestant import Contestant
from benchmarks.compare.peer import commit
from benchmarks.compare.project import Project, large, many_files
from benchmarks.compare.race import Finding, Leg, Legs, Section, Terms, race
from benchmarks.ratios import Workload
from benchmarks.ssh_host import SshHost, make_keys


@dataclass(frozen=True, slots=True)
class Remote:
    """How a tool is told of a host, and what is typed; `forget` is what is deleted before a pull."""

    add: tuple[tuple[str, ...], ...]
    push: tuple[str, ...]
    pull: tuple[str, ...]
    forget: tuple[str, ...]


REMOTES = {
    "Pivot": Remote(
        add=(
            ("git", "config", "pivot-remote.lab.url", "ssh://lab{host}"),
            ("git", "config", "pivot-remote.lab.configFile", "{client}/config"),
        ),
        push=("git-pivot", "push", "--remote", "lab"),
        pull=("git-pivot", "pull", "--remote", "lab"),
        forget=("out", ".git/pivot/store.git", ".git/pivot/cache"),
    ),
    "DVC": Remote(
        add=(("dvc", "remote", "add", "--default", "lab", "ssh://lab{host}"),),
        push=("dvc", "push", "--quiet"),
        pull=("dvc", "pull", "--quiet"),
        forget=("out/large", "out/tree", ".dvc/cache", ".dvc/tmp"),
    ),
}


@dataclass(frozen=True, slots=True)
class Lab:
    """The host's folder, and the folder of the client's keys and configuration."""

    host: Path
    client: Path

    def clear(self) -> None:
        shutil.rmtree(self.host, ignore_errors=True)
        self.host.mkdir()


def remotes(contestants: Sequence[Contestant], sizes: tuple[int, int], terms: Terms, folder: Path) -> Iterator[Section]:
    """`sizes`: MiB of the large file, and how many small files."""
    able = [contestant for contestant in contestants if contestant.peer.name in REMOTES]
    client = folder / "client"
    make_keys(client)
    server = SshHost(folder, client)
    server.start()
    lab = Lab(folder / "host", client)
    try:
        for title, project, floors in (
            (f"A file of {sizes[0]} MiB over SSH", large(sizes[0]), _scp),
            (f"{sizes[1]:,} files over SSH", many_files(sizes[1]), _tar),
        ):
            named = {one.peer.name: _legs(one, project, lab) for one in able}
            source = folder / "source"
            shutil.rmtree(source, ignore_errors=True)
            source.mkdir()
            project.write(source, folder / "ran by floors")
            rows = race(floors(source, lab, able[0].place.python, project), named, terms)
            yield Section(title, "To a server on loopback, with the same cipher; outputs alone, no results.", rows)
    finally:
        server.stop()


def _legs(contestant: Contestant, project: Project, lab: Lab) -> Legs:
    place, remote = contestant.place, REMOTES[contestant.peer.name]

    def arrived() -> Finding:
        return Finding(any(lab.host.rglob("*")), place.take_log(), 0)

    def one_round(number: int) -> Iterator[Leg]:
        lab.clear()
        contestant.begin(project, number)
        _tell(contestant, lab)
        contestant.run()
        commit(place)
        yield Leg("push", place.workload(f"{contestant.peer.name}, push", remote.push), arrived)
        yield Leg("push, nothing new", place.workload(f"{contestant.peer.name}, push again", remote.push), arrived)
        for path in remote.forget:
            _remove(place.project / path)
        yield contestant.command("pull", remote.pull, project, number, 0)

    return one_round


def _tell(contestant: Contestant, lab: Lab) -> None:
    words = {"host": f"{lab.host}/store", "client": str(lab.client)}
    ssh = Path(contestant.place.environment["HOME"]) / ".ssh"
    ssh.mkdir(exist_ok=True)
    shutil.copy(lab.client / "config", ssh / "config")
    shutil.copy(lab.client / "known_hosts", ssh / "known_hosts")
    contestant.place.do(*[[word.format(**words) for word in command] for command in REMOTES[contestant.peer.name].add])
    commit(contestant.place)


def _scp(source: Path, lab: Lab, python: str, project: Project) -> dict[str, Legs]:
    del project
    options = ["-q", "-F", str(lab.client / "config")]

    def scp(number: int) -> Iterator[Leg]:
        del number
        _make(source, python)
        lab.clear()
        yield Leg("push", Workload("scp", ["scp", *options, "out/large", f"lab:{lab.host}/copy"], source))
        yield Leg("push, nothing new", Workload("ssh true", ["ssh", "-F", options[-1], "lab", "true"], source))
        yield Leg("pull", Workload("scp", ["scp", *options, f"lab:{lab.host}/copy", "back"], source))

    return {"scp, ssh lab true": scp}


def _tar(source: Path, lab: Lab, python: str, project: Project) -> dict[str, Legs]:
    del project
    ssh = f"ssh -F {lab.client}/config lab"

    def tar(number: int) -> Iterator[Leg]:
        del number
        _make(source, python)
        lab.clear()
        _remove(source / "back")
        (source / "back").mkdir()
        up = f"tar -cf - out | {ssh} 'tar -C {lab.host} -xf -'"
        down = f"{ssh} 'tar -C {lab.host} -cf - out' | tar -C back -xf -"
        yield Leg("push", Workload("tar", ["sh", "-c", up], source))
        yield Leg("push, nothing new", Workload("ssh true", ["sh", "-c", f"{ssh} true"], source))
        yield Leg("pull", Workload("tar", ["sh", "-c", down], source))

    return {"tar over ssh, ssh lab true": tar}


def _make(source: Path, python: str) -> None:
    if not (source / "out").exists():
        subprocess.run([python, "bare.py"], cwd=source, check=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
