"""One trial: a command is killed after a random time, and the repository must be whole afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from tests.support.repository import PIVOT, Repo

PIPELINE = """
from typing import Annotated

import pivot

pipeline = pivot.Pipeline("torture")
Bytes = pivot.loaders.Bytes()

@pipeline.register
def first(raw: Annotated[str, pivot.Dep("raw.txt")]) -> Annotated[str, pivot.Out("first.txt")]:
    return raw * 1000

@pipeline.register
def large(text: Annotated[str, pivot.Dep("first.txt")]) -> Annotated[bytes, pivot.Out("large.bin", Bytes)]:
    return text.encode() * 400

@pipeline.register
def last(data: Annotated[bytes, pivot.Dep("large.bin", Bytes)]) -> Annotated[str, pivot.Out("last.txt")]:
    return str(len(data))
"""
COMMANDS = (
    (*PIVOT, "repro"),
    (*PIVOT, "checkout"),
    (*PIVOT, "gc", "--keep-runs", "0"),
    (*PIVOT, "push"),
    (*PIVOT, "pull"),
    ("git", "switch", "--quiet", "-"),
)
LONGEST = 1.5  # seconds until the kill


def make_repo(folder: Path) -> Repo:
    """A repository with two branches, a Git remote and a remote of outputs in a folder."""
    repo = Repo.init(folder / "work", "--initial-branch=main")
    repo.write("raw.txt", "0")
    repo.write("pipeline.py", PIPELINE)
    repo.commit("start")
    repo.git("init", "--quiet", "--bare", str(folder / "git"))
    repo.git("remote", "add", "origin", str(folder / "git"))
    repo.pivot("remote", "add", "shelf", str(folder / "shelf")).expect(0)
    repo.git("switch", "--quiet", "-c", "other")
    repo.pivot("repro").expect(0)
    return repo


def torture(repo: Repo, chance: random.Random) -> bool:
    """One trial; whether the command was still running when it was to be killed."""
    text = str(chance.randrange(1000))
    repo.write("raw.txt", text)
    repo.commit(text)
    command = chance.choice(COMMANDS)
    process = subprocess.Popen(
        command, cwd=repo.path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(chance.uniform(0, LONGEST))
    killed = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for lock in (".git/index.lock", ".git/HEAD.lock"):  # Git itself leaves these to the user
        (repo.path / lock).unlink(missing_ok=True)
    repo.git("reset", "--quiet", "--hard")
    check(repo)
    return killed


def check(repo: Repo) -> None:
    """Right contents, nothing to do, nothing lost, nothing left."""
    repo.pivot("repro").expect(0)
    raw = repo.read("raw.txt")
    assert repo.read("first.txt") == raw * 1000
    assert repo.read("large.bin") == raw * 400_000
    assert repo.read("last.txt") == str(len(raw) * 400_000)
    assert "3 unchanged" in repo.pivot("repro").expect(0).out
    repo.pivot("fsck").expect(0)
    assert repo.status() == ""
    left = [path for path in repo.path.rglob(".pivot-tmp-*") if ".git" not in path.parts]
    assert not left, left
    aside = repo.path / ".git/pivot/aside"
    assert not (aside.is_dir() and list(aside.iterdir())), "outputs are still moved away"
